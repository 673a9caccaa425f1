"""Commands on demand: read, set and act on any object of any device, by OBIS code or by name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from meterway.base.errors import ConfigError, DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.base.units import symbol_of
from meterway.headend.collect import CLOCK_TIME, Part, range_selection
from meterway.headend.layout import CLOCK
from meterway.headend.plain import plain
from meterway.headend.plan import MIRROR_AGE
from meterway.mapping.obis import describe
from meterway.model.reading import iso_utc
from meterway.model.telegram import Json
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data
from meterway.stacks.dlms.classes import interface_class, typed, untyped
from meterway.stacks.dlms.classes.association import ObjectListElement
from meterway.stacks.dlms.classes.elements import CaptureObject, ScalerUnit
from meterway.stacks.dlms.client.script import Act, Answer, Get, Script, Set
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["Answered", "Command", "act", "list_objects", "read", "read_mirrored", "write"]

_ASSOCIATION: Final = AttributeDescriptor(15, Obis(0, 0, 40, 0, 0), 2)
_PROFILE, _CLOCK_CLASS = 7, 8
_REGISTERS: Final = frozenset((3, 4, 5))
ClassOf = Callable[[Obis], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is wanted of one object. ``attribute`` or ``method`` is a number or a name of its class."""

    obis: Obis
    attribute: int | str = 2
    method: int | str = ""
    from_s: float | None = None
    to_s: float | None = None
    value: Json = None
    class_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a device answered: ``value`` in plain JSON form, or ``refusal`` in the norm's word."""

    obis: Obis
    class_id: int
    attribute: str
    value: Json = None
    unit: str = ""
    refusal: str = ""
    quirks: tuple[str, ...] = ()
    age_s: int | None = None
    """How old a mirrored value is; None where it came from the device itself, or the mirror does not say."""

    def as_json(self) -> dict[str, Json]:
        """As plain JSON."""
        return {
            "ok": not self.refusal,
            "obis": str(self.obis),
            "name": describe(self.obis).name,
            "class": self.class_id,
            "attribute": self.attribute,
            "value": self.value,
            "unit": self.unit,
            "refusal": self.refusal or None,
            "quirks": list(self.quirks),
            "age_s": self.age_s,
        }


def list_objects() -> Script[tuple[ObjectListElement, ...]]:
    """Every object the association shows."""
    answer = yield Get(_ASSOCIATION)
    if not isinstance(answer, bytes):
        return ()
    value = typed(15, 2, axdr.decode_all(answer))
    return tuple(item for item in value if isinstance(item, ObjectListElement)) if isinstance(value, tuple) else ()


def _class_id(command: Command, class_of: ClassOf) -> Part[int]:
    """The object's class: given, known from the companion profile, or asked of the device."""
    known = command.class_id or class_of(command.obis)
    if known is not None:
        return known
    for item in (yield from list_objects()):
        if item.obis == command.obis:
            return item.class_id
    raise ConfigError(f"the device has no object {command.obis}")


def read(command: Command, class_of: ClassOf) -> Script[Answered]:
    """Read an attribute; a register with its unit, a profile or log as rows with named columns."""
    class_id = yield from _class_id(command, class_of)
    attribute = interface_class(class_id).attribute(command.attribute)
    if class_id == _PROFILE and attribute.index == 2:
        return (yield from _read_profile(command))
    answer = yield Get(AttributeDescriptor(class_id, command.obis, attribute.index))
    if not isinstance(answer, bytes):
        return _refused(command, class_id, attribute.name, answer)
    quirks: list[str] = []
    value = typed(class_id, attribute.index, axdr.decode_all(answer), quirks=quirks)
    unit = ""
    if class_id in _REGISTERS and attribute.name in ("value", "current_average_value", "last_average_value"):
        scaler = yield from _scaler(class_id, command.obis)
        value, unit = _scaled(value, scaler)
    return Answered(
        obis=command.obis,
        class_id=class_id,
        attribute=attribute.name,
        value=plain(value),
        unit=unit,
        quirks=tuple(quirks),
    )


def read_mirrored(command: Command, class_of: ClassOf) -> Script[Answered]:
    """Read an attribute of mirrored data, and how old that is."""
    answered = yield from read(command, class_of)
    value = axdr.decode_all(answer).value if isinstance(answer := (yield Get(MIRROR_AGE)), bytes) else None
    return replace(answered, age_s=value if isinstance(value, int) else None)


def _refused(command: Command, class_id: int, attribute: str, answer: Answer) -> Answered:
    word = answer.word if isinstance(answer, DataAccessResult) else "no-answer"
    return Answered(obis=command.obis, class_id=class_id, attribute=attribute, refusal=word)


def _scaler(class_id: int, obis: Obis) -> Part[ScalerUnit | None]:
    index = interface_class(class_id).attribute("scaler_unit").index
    answer = yield Get(AttributeDescriptor(class_id, obis, index))
    value = typed(class_id, index, axdr.decode_all(answer)) if isinstance(answer, bytes) else None
    return value if isinstance(value, ScalerUnit) else None


def _scaled(value: object, scaler: ScalerUnit | None) -> tuple[object, str]:
    if scaler is None or isinstance(value, bool) or not isinstance(value, int | float):
        return value, ""
    exact = Decimal(value) if isinstance(value, int) else Decimal(str(value))
    return exact.scaleb(scaler.scaler), symbol_of(scaler.unit)


# -- profiles ---------------------------------------------------------------------------------------------------------


def _read_profile(command: Command) -> Part[Answered]:
    objects = typed(_PROFILE, 3, (yield from _data(AttributeDescriptor(_PROFILE, command.obis, 3))))
    captured = [item for item in objects if isinstance(item, CaptureObject)] if isinstance(objects, tuple) else []
    period = typed(_PROFILE, 4, (yield from _data(AttributeDescriptor(_PROFILE, command.obis, 4))))
    selection = yield from _span(command)
    answer = yield Get(AttributeDescriptor(_PROFILE, command.obis, 2), selection)
    if not isinstance(answer, bytes):
        return _refused(command, _PROFILE, "buffer", answer)
    scalers: list[ScalerUnit | None] = []
    for item in captured:
        is_value = item.class_id in _REGISTERS and item.attribute == 2
        scalers.append((yield from _scaler(item.class_id, item.obis)) if is_value else None)
    table = _table(answer, captured, scalers, period if isinstance(period, int) else None)
    return Answered(obis=command.obis, class_id=_PROFILE, attribute="buffer", value=table)


def _data(attribute: AttributeDescriptor) -> Part[Data]:
    answer = yield Get(attribute)
    return axdr.decode_all(answer) if isinstance(answer, bytes) else axdr.null()


def _span(command: Command) -> Part[Selection | None]:
    if command.from_s is None and command.to_s is None:
        return None
    clock = typed(_CLOCK_CLASS, 2, (yield from _data(CLOCK_TIME)))
    deviation = clock.deviation_min if isinstance(clock, CosemDateTime) and clock.deviation_min is not None else 0
    to_s = command.to_s if command.to_s is not None else time.time() + 86400
    return range_selection(command.from_s or 0.0, to_s, deviation)


def _table(
    octets: bytes, captured: list[CaptureObject], scalers: list[ScalerUnit | None], period_s: int | None
) -> dict[str, Json]:
    rows, _ = axdr.to_native(octets)
    if not isinstance(rows, list):
        raise DecodeError("a profile's buffer is an array", 0, "columns")
    columns: list[Json] = [
        {
            "obis": str(item.obis),
            "name": describe(item.obis).name,
            "attribute": item.attribute,
            "unit": symbol_of(scaler.unit) if scaler is not None else "",
        }
        for item, scaler in zip(captured, scalers, strict=True)
    ]
    return {"period_s": period_s, "columns": columns, "rows": [_row(row, captured, scalers) for row in rows]}


def _row(row: object, captured: list[CaptureObject], scalers: list[ScalerUnit | None]) -> Json:
    if not isinstance(row, list) or len(row) != len(captured):
        return plain(row)
    return [_cell(cell, item, scaler) for cell, item, scaler in zip(row, captured, scalers, strict=True)]


def _cell(cell: object, item: CaptureObject, scaler: ScalerUnit | None) -> Json:
    if item.class_id == _CLOCK_CLASS and isinstance(cell, bytes) and len(cell) == 12:
        moment = CosemDateTime.decode(cell).utc(0)
        return iso_utc(moment) if moment is not None else cell.hex()
    value, _ = _scaled(cell, scaler)
    return plain(value)


# -- writing and calling ----------------------------------------------------------------------------------------------


def write(command: Command, class_of: ClassOf) -> Script[Answered]:
    """Write an attribute from its plain value; ``now`` for the clock's time is the head end's time."""
    class_id = yield from _class_id(command, class_of)
    attribute = interface_class(class_id).attribute(command.attribute)
    value: object = command.value
    if command.obis == CLOCK and attribute.index == 2 and value == "now":
        value = yield from _now()
    octets = axdr.encode(untyped(class_id, attribute.index, value))
    answer = yield Set(AttributeDescriptor(class_id, command.obis, attribute.index), octets)
    if answer is not DataAccessResult.SUCCESS:
        return _refused(command, class_id, attribute.name, answer)
    return Answered(obis=command.obis, class_id=class_id, attribute=attribute.name, value=plain(value))


def _now() -> Part[CosemDateTime]:
    clock = typed(_CLOCK_CLASS, 2, (yield from _data(CLOCK_TIME)))
    deviation, dst = 0, False
    if isinstance(clock, CosemDateTime) and clock.deviation_min is not None:
        deviation, dst = clock.deviation_min, bool(clock.daylight_saving)
    return CosemDateTime.from_utc(datetime.fromtimestamp(time.time(), UTC), deviation, dst=dst)


def act(command: Command, class_of: ClassOf) -> Script[Answered]:
    """Call a method; without a value the parameter is the integer 0, as the norm has it for most methods."""
    class_id = yield from _class_id(command, class_of)
    method = interface_class(class_id).method(command.method)
    value = 0 if command.value is None else command.value
    try:
        parameters = axdr.encode(method.type.untyped(value))
    except LocalProtocolError:
        if command.value is not None:
            raise
        parameters = axdr.encode(axdr.i8(0))
    answer = yield Act(MethodDescriptor(class_id, command.obis, method.index), parameters)
    if not isinstance(answer, ActionOutcome) or answer.result is not ActionResult.SUCCESS:
        word = answer.result.word if isinstance(answer, ActionOutcome) else "no-answer"
        return Answered(obis=command.obis, class_id=class_id, attribute=method.name, refusal=word)
    returned = answer.returned
    value_out = plain(axdr.native(axdr.decode_all(returned))) if isinstance(returned, bytes) else None
    return Answered(obis=command.obis, class_id=class_id, attribute=method.name, value=value_out)
