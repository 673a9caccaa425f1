"""Readouts of IEC 62056-21 to readings: every line with its code, value, unit, tariff and billing period."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from meterway.base.obis import Obis
from meterway.mapping.obis import describe
from meterway.model.reading import Reading, Value
from meterway.model.telegram import DecodedTelegram, Json
from meterway.stacks.iec21.readout import Readout, ReadoutLine, decode_readout
from meterway.stacks.p1.values import number

__all__ = ["decode_telegram", "obis_of"]

_LETTERS: Final = {"C": 96, "F": 97, "L": 98, "P": 99}
_PARTS: Final = re.compile(r"(?:(\d+)-(\d+):)?(\w+)\.(\w+)(?:\.(\d+))?(?:[*&.](\d+))?")
_TIME: Final = re.compile(r"(\d\d):?(\d\d):?(\d\d)?")
_DATE: Final = re.compile(r"(?:20)?(\d\d)[-.]?(\d\d)[-.]?(\d\d)")
_IDS: Final = ((96, 1, 0), (0, 0, 0), (96, 1, 1), (0, 0, 1))
_CLOCK: Final = (0, 9, 1)
_CALENDAR: Final = (0, 9, 2)
_ABSTRACT: Final = frozenset((96, 97))
_TEXTS: Final = frozenset(((0, 0), (0, 2), (96, 1), (96, 5), (97, 97)))
_COUNTS: Final = frozenset(((96, 2), (96, 6), (96, 7)))
_DATES: Final = frozenset(((0, 1, 2), (0, 1, 3)))
_WHOLE: Final = 255


def obis_of(code: str) -> Obis | None:
    """A code in full or reduced form (``1-1:1.8.0*12``, ``32.7``, ``C.1.0``, ``F.F``); None for what is none.

    C, F, L and P stand for 96, 97, 98 and 99; without a medium C and F are abstract, all else is electricity.
    """
    match = _PARTS.fullmatch(code)
    if match is None:
        return None
    a, b, c, d, e, f = match.groups()
    groups = [_LETTERS.get(part, -1) if not part.isdigit() else int(part) for part in (c, d)]
    medium = (0 if groups[0] in _ABSTRACT and not c.isdigit() else 1) if a is None else int(a)
    whole = (medium, int(b or 0), *groups, int(e or 0), _WHOLE if f is None else int(f))
    return Obis(*whole) if all(0 <= part <= 255 for part in whole) else None


def decode_telegram(octets: bytes) -> DecodedTelegram:
    """Decode one readout; DecodeError as ``decode_readout`` says.

    The meter's clock has no zone: its time is given as it stands, and values have no time.
    """
    readout = decode_readout(octets)
    entries = _entries(readout)
    objects: list[Json] = [{"code": line.code, "parts": list(line.values)} for line in readout.lines]
    unread: list[Json] = [*readout.unread]
    return DecodedTelegram(
        protocol="iec62056-21",
        device=_device(readout, entries),
        readings=tuple(_reading(entry, entries) for entry in entries),
        layers=(
            {
                "layer": "readout",
                "identification": readout.identification,
                "checked": readout.is_checked,
                "objects": objects,
                "unread": unread,
            },
        ),
        security={"encrypted": False, "authenticated": False},
        quirks=readout.quirks,
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line with a code that is one."""

    obis: Obis
    values: tuple[str, ...]


def _entries(readout: Readout) -> list[_Entry]:
    found: list[_Entry] = []
    for line in readout.lines:
        obis = obis_of(line.code)
        if obis is not None:
            found.append(_Entry(obis, line.values))
        elif not line.code and found:
            found[-1] = _Entry(found[-1].obis, _joined(found[-1], line))
    return found


def _joined(entry: _Entry, line: ReadoutLine) -> tuple[str, ...]:
    return (*entry.values, *line.values)


def _device(readout: Readout, entries: list[_Entry]) -> dict[str, Json]:
    by_code = {entry.obis[2:5]: entry.values[0].strip() for entry in reversed(entries) if entry.obis.f == _WHOLE}
    device: dict[str, Json] = {
        "identification": readout.identification,
        "manufacturer": readout.identification[:3].upper(),
        "id": next((by_code[code] for code in _IDS if by_code.get(code)), None),
    }
    date, time = _date(by_code.get(_CALENDAR, "")), _time(by_code.get(_CLOCK, ""))
    if date and time:
        device["time"] = f"{date}T{time}"
    return device


def _date(text: str) -> str:
    match = _DATE.fullmatch(text)
    return f"20{match[1]}-{match[2]}-{match[3]}" if match and 0 < int(match[2]) < 13 and 0 < int(match[3]) < 32 else ""


def _time(text: str) -> str:
    match = _TIME.fullmatch(text)
    return f"{match[1]}:{match[2]}:{match[3] or '00'}" if match and int(match[1]) < 24 and int(match[2]) < 60 else ""


def _reading(entry: _Entry, entries: list[_Entry]) -> Reading:
    obis = entry.obis
    name = describe(obis)
    value, unit, quality = _value(entry)
    if isinstance(value, Decimal) and not unit and obis.f != _WHOLE:
        unit = _unit_now(obis, entries)
    return Reading(
        name=name.name,
        obis=obis,
        value=value,
        unit=unit,
        storage=obis.f if obis.f != _WHOLE else 0,
        tariff=name.tariff,
        function="maximum" if obis.a == 1 and obis.d == 6 else "instantaneous",
        quality=quality,
    )


def _value(entry: _Entry) -> tuple[Value, str, str]:
    text = entry.values[0].strip()
    code = entry.obis[2:5]
    if code == _CLOCK:
        return _time(text) or None, "", "" if _time(text) else f"{text[:40]!r} is no time"
    if code == _CALENDAR:
        return _date(text) or None, "", "" if _date(text) else f"{text[:40]!r} is no date"
    if code in _DATES:
        return _date(text) or text or None, "", "" if text else "empty"
    if code[:2] in _TEXTS or (code[0] in _ABSTRACT and code[:2] not in _COUNTS):
        return text, "", ""
    pair = number(text)
    if pair is not None:
        return pair[0], pair[1], ""
    return (text, "", "") if text else (None, "", "empty")


def _unit_now(obis: Obis, entries: list[_Entry]) -> str:
    """The unit of the present value: meters send it there only."""
    for entry in entries:
        if entry.obis[:5] == obis[:5] and entry.obis.f == _WHOLE:
            return _value(entry)[1]
    return ""
