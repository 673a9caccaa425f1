"""What a pushed list of COSEM values means: the many ways in which meters say which value is which.

A list element may be a structure of code, value and unit; a code followed by its value (and its unit); a value named
by the push object list that stands first; or, from some makers, a bare value known only by its place. The last kind is
read by the tables in ``ordered_lists``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Final

from meterway.base.obis import Obis
from meterway.base.units import symbol_of
from meterway.mapping.obis import describe
from meterway.mapping.ordered_lists import ordered_list
from meterway.model.reading import Reading, Value, iso_utc
from meterway.stacks.dlms.axdr import CompactArray, CosemDate, CosemDateTime, CosemTime, Data, Tag

__all__ = ["readings_of", "unit_of"]

_LISTS: Final = frozenset((Tag.ARRAY, Tag.STRUCTURE, Tag.COMPACT_ARRAY))
_NUMBERS: Final = frozenset(
    (
        Tag.DOUBLE_LONG, Tag.DOUBLE_LONG_UNSIGNED, Tag.BCD, Tag.INTEGER, Tag.LONG, Tag.UNSIGNED, Tag.LONG_UNSIGNED,
        Tag.LONG64, Tag.LONG64_UNSIGNED, Tag.ENUM, Tag.FLOAT32, Tag.FLOAT64,
    )
)  # fmt: skip
_MEDIA: Final = frozenset(range(16))
_CLOCK: Final = (1, 0)
_PUSH_SETUP: Final = (25, 9)


def readings_of(body: Data, *, time: datetime | None = None, is_tagged: bool = False) -> tuple[Reading, ...]:
    """Every named value of a pushed body, in order; ``time`` is when the push says it was made.

    ``is_tagged`` as in ``ordered_list``.
    """
    items = _items(body)
    named = ordered_list(items, is_tagged=is_tagged)
    if named is not None:
        return tuple(_reading(obis, value, (scaler, unit), time) for obis, value, scaler, unit in named)
    descriptors = _descriptors(items)
    if descriptors:
        return tuple(_described(descriptors, items, time))
    return tuple(_walk(items, time))


def _items(data: Data) -> Sequence[Data]:
    value = data.value
    if isinstance(value, CompactArray):
        return value.rows()
    return value if isinstance(value, tuple) and data.tag in _LISTS else ()


def _is_code(data: Data) -> bool:
    value = data.value
    return data.tag == Tag.OCTET_STRING and isinstance(value, bytes) and len(value) == 6 and value[0] in _MEDIA


def _code(data: Data) -> Obis | None:
    return Obis(*data.value) if _is_code(data) and isinstance(data.value, bytes) else None


def unit_of(data: Data) -> tuple[int, int] | None:
    """(scaler, unit) of a structure of an integer and an enum; None for anything else."""
    items = _items(data)
    if len(items) == 2 and items[0].tag == Tag.INTEGER and items[1].tag == Tag.ENUM:
        scaler, unit = items[0].value, items[1].value
        if isinstance(scaler, int) and isinstance(unit, int):
            return scaler, unit
    return None


def _walk(items: Sequence[Data], time: datetime | None) -> Iterator[Reading]:
    """Codes followed by values, and structures that hold them, at any depth."""
    index = 0
    while index < len(items):
        obis = _code(items[index])
        if obis is None or _has_no_value(items, index, obis):
            yield from _walk(_items(items[index]), time)
            index += 1
            continue
        unit = unit_of(items[index + 2]) if index + 2 < len(items) else None
        yield _reading(obis, items[index + 1], unit, time)
        index += 2 if unit is None else 3


def _has_no_value(items: Sequence[Data], index: int, obis: Obis) -> bool:
    """Whether what follows a code is not its value; a push setup has none to push but its own name."""
    if index + 1 >= len(items) or items[index + 1].tag in _LISTS:
        return True
    return obis[2:4] == _PUSH_SETUP and items[index + 1].value != bytes(obis)


def _descriptors(items: Sequence[Data]) -> list[tuple[int, Obis, int]] | None:
    """The push object list if it stands first: (class, code, attribute) for each element of the push."""
    if not items or items[0].tag != Tag.ARRAY:
        return None
    found = [_descriptor(entry) for entry in _items(items[0])]
    return [entry for entry in found if entry is not None] if found and None not in found else None


def _descriptor(entry: Data) -> tuple[int, Obis, int] | None:
    parts = _items(entry)
    if len(parts) < 4 or parts[0].tag != Tag.LONG_UNSIGNED or not _is_code(parts[1]) or parts[2].tag != Tag.INTEGER:
        return None
    class_id, obis, attribute = parts[0].value, _code(parts[1]), parts[2].value
    if not isinstance(class_id, int) or not isinstance(attribute, int) or obis is None:
        return None
    return class_id, obis, attribute


def _described(
    descriptors: list[tuple[int, Obis, int]], items: Sequence[Data], time: datetime | None
) -> Iterator[Reading]:
    is_listed = descriptors[0][0] == 40
    values = items if is_listed else items[1:]
    for (class_id, obis, attribute), value in zip(descriptors, values, strict=False):
        if class_id == 40 and attribute == 2:
            continue
        if attribute == 2 or value.tag not in _LISTS:
            yield _reading(obis, value, None, time)
        else:
            yield from _walk([value], time)


def _reading(obis: Obis, data: Data, unit: tuple[int, int] | None, time: datetime | None) -> Reading:
    name = describe(obis)
    value, quality = _value(obis, data, unit)
    return Reading(
        name=name.name,
        obis=obis,
        value=value,
        unit=symbol_of(unit[1]) if unit is not None and isinstance(value, int | Decimal | float) else "",
        time=time,
        tariff=name.tariff,
        function={"max": "maximum", "min": "minimum"}.get(_aggregate(obis), "instantaneous"),
        quality=quality,
    )


def _aggregate(obis: Obis) -> str:
    if obis.a not in (1, 0):
        return ""
    return {3: "min", 6: "max", 13: "min", 16: "max"}.get(obis.d, "") if obis.a == 1 else ""


def _value(obis: Obis, data: Data, unit: tuple[int, int] | None) -> tuple[Value, str]:
    value = data.value
    if isinstance(value, float) and not isfinite(value):
        return None, "not a number"
    if data.tag in _NUMBERS and isinstance(value, int | float):
        return _scaled(value, unit), ""
    if isinstance(value, bool | str):
        return value, ""
    if isinstance(value, bytes):
        return _octets(obis, value), ""
    if isinstance(value, CosemDateTime):
        return _moment(value), ""
    if isinstance(value, CosemDate | CosemTime):
        return value.encode().hex(), ""
    return None, "no value" if data.tag == Tag.NULL_DATA else "not a single value"


def _scaled(value: int | float, unit: tuple[int, int] | None) -> int | float | Decimal:
    if unit is None or unit[0] == 0:
        return value
    exact = Decimal(value) if isinstance(value, int) else Decimal(repr(value))
    return exact.scaleb(unit[0])


def _octets(obis: Obis, value: bytes) -> str:
    if len(value) == 12 and (obis.c, obis.d) == _CLOCK:
        return _moment(CosemDateTime.decode(value))
    stripped = value.rstrip(b"\0")
    text = stripped.decode("ascii") if stripped.isascii() else ""
    return text if text.isprintable() and (text or not value) else value.hex()


def _moment(value: CosemDateTime) -> str:
    """UTC if the meter says its deviation, else its local time as it stands, else the octets."""
    utc = value.utc()
    if utc is not None and value.deviation_min is not None:
        return iso_utc(utc) or ""
    local = value.local()
    return local.isoformat() if local is not None else value.encode().hex()
