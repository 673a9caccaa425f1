"""The scripts of scheduled collection: learn a device once, then read its clock, registers, profiles and logs."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, TypeVar

from meterway.base.errors import ConfigError, DecodeError
from meterway.base.obis import Obis
from meterway.headend.layout import CLOCK, Behind, DeviceLayout, ProfileLayout, profile_layout
from meterway.headend.load_state import LoadState
from meterway.mapping.alarms import Alarm
from meterway.mapping.neighbourhood import NodeRow
from meterway.mapping.transformer import DayBalance
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.classes.elements import CaptureObject, ScalerUnit
from meterway.stacks.dlms.classes.profile_generic import RangeSelector
from meterway.stacks.dlms.classes.push_setup import PushObject
from meterway.stacks.dlms.client.script import Answer, Ask, Get, GetList, Script, Set
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["CLOCK_TIME", "Collected", "Plan", "Raw", "collect", "get_many", "range_selection"]

CLOCK_TIME: Final = AttributeDescriptor(8, CLOCK, 2)
_PROFILE: Final = 7
_NO_SCALER: Final = (0, 255)
_SCALER_AT: Final = {3: 3, 4: 3, 5: 4}
_PUSH_SETUP: Final = 40

T = TypeVar("T")
Part = Generator[Ask, Answer, T]
UnixClock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to read of one device. Times are Unix seconds; a profile or log is read for its (from, to).

    ``set_clock_beyond_s`` None leaves the device's clock alone; otherwise a clock further off is set.
    """

    identity: tuple[tuple[str, AttributeDescriptor], ...] = ()
    registers: tuple[AttributeDescriptor, ...] = ()
    profiles: tuple[tuple[Obis, float, float], ...] = ()
    logs: tuple[tuple[Obis, float, float], ...] = ()
    pushes: tuple[Obis, ...] = ()
    layout: DeviceLayout | None = None
    list_max: int = 16
    set_clock_beyond_s: float | None = None
    deviation_min: int = 0


@dataclass(frozen=True, slots=True)
class Raw:
    """One attribute as it came: the encoded value, when it was received, and from when on rows were asked for."""

    obis: Obis
    octets: bytes
    received_s: float
    from_s: float = 0.0


@dataclass(slots=True)
class Collected:
    """What came of a collection so far; a session that breaks off leaves what it had."""

    layout: DeviceLayout | None = None
    clock: CosemDateTime | None = None
    clock_offset_s: float | None = None
    registers: list[Raw] = field(default_factory=list)
    profiles: list[tuple[ProfileLayout, Raw]] = field(default_factory=list)
    logs: list[Raw] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    behind: tuple[Behind, ...] | None = None
    """Of a gateway, the meters it has bound; None if that is not known."""
    nodes: tuple[NodeRow, ...] | None = None
    """Of a concentrator, its node table; None if that is not known."""
    load: LoadState | None = None
    """Of a load controller, how its relays stand; None if that is not known."""
    balances: tuple[DayBalance, ...] = ()
    """Of a concentrator, the last days of its transformer."""
    alarms: tuple[Alarm, ...] = ()
    """Of a concentrator, what is wrong in its network, and what was of late."""

    def refused(self, what: str, answer: object) -> None:
        """Note that the device did not give ``what``."""
        self.refusals.append((what, answer.word if isinstance(answer, DataAccessResult) else "no data"))


@lru_cache(maxsize=4096)
def range_selection(from_s: float, to_s: float, deviation_min: int = 0) -> Selection:
    """Selective access by time, given in Unix seconds and asked in local time of ``deviation_min``.

    ConfigError for a time outside the calendar. Kept, because a whole fleet misses the same slots.
    """
    try:
        start, end = (CosemDateTime.from_utc(datetime.fromtimestamp(t, UTC), deviation_min) for t in (from_s, to_s))
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(f"from {from_s:g} to {to_s:g} is no range of times ({error})") from None
    return Selection(RangeSelector.selector, RangeSelector.between(start, end).encode())


def collect(plan: Plan, into: Collected, clock: UnixClock) -> Script[Collected]:
    """Read what the plan says into ``into``; ``clock`` gives the head end's time in Unix seconds."""
    yield from _clock(plan, into, clock)
    layout = plan.layout or (yield from _learn(plan, into, clock))
    into.layout = layout
    yield from _registers(plan, layout, into, clock)
    for obis, from_s, to_s in plan.profiles:
        profile = layout.profiles.get(str(obis))
        if profile is None:
            continue
        octets = yield from _range(obis, (from_s, to_s), plan, into)
        if octets is not None:
            into.profiles.append((profile, Raw(obis, octets, clock(), from_s)))
    for obis, from_s, to_s in plan.logs:
        octets = yield from _range(obis, (from_s, to_s), plan, into)
        if octets is not None:
            into.logs.append(Raw(obis, octets, clock(), from_s))
    return into


def _range(obis: Obis, span: tuple[float, float], plan: Plan, into: Collected) -> Part[bytes | None]:
    deviation = _deviation(plan, into.clock)
    answer = yield Get(AttributeDescriptor(_PROFILE, obis, 2), range_selection(*span, deviation))
    if isinstance(answer, bytes):
        return answer
    into.refused(str(obis), answer)
    return None


def _deviation(plan: Plan, clock: CosemDateTime | None) -> int:
    """Ask in the device's own local time: some compare it with their rows and pass over the deviation."""
    if clock is not None and clock.deviation_min is not None:
        return clock.deviation_min
    return plan.deviation_min


def _clock(plan: Plan, into: Collected, clock: UnixClock) -> Part[None]:
    answer = yield Get(CLOCK_TIME)
    value = _typed(8, 2, answer)
    if not isinstance(value, CosemDateTime):
        into.refused("clock", answer)
        return
    into.clock = value
    moment = value.utc(plan.deviation_min)
    if moment is None:
        into.refused("clock", DataAccessResult.OTHER_REASON)
    else:
        into.clock_offset_s = moment.timestamp() - clock()
    limit = plan.set_clock_beyond_s
    if limit is None or (into.clock_offset_s is not None and abs(into.clock_offset_s) <= limit):
        return
    deviation = _deviation(plan, value)
    right = CosemDateTime.from_utc(datetime.fromtimestamp(clock(), UTC), deviation, dst=bool(value.daylight_saving))
    done = yield Set(CLOCK_TIME, axdr.encode(axdr.octets(right.encode())))
    if done is not DataAccessResult.SUCCESS:
        into.refused("setting the clock", done)


# -- first contact ----------------------------------------------------------------------------------------------------


def _learn(plan: Plan, into: Collected, clock: UnixClock) -> Part[DeviceLayout]:
    identity: dict[str, str] = {}
    for name, attribute in plan.identity:
        answer = yield Get(attribute)
        if isinstance(answer, bytes):
            identity[name] = _text(answer)
    scalers: dict[str, tuple[int, int]] = {}
    captured: dict[Obis, tuple[int, tuple[CaptureObject, ...]]] = {}
    for obis, _, _ in plan.profiles:
        found = yield from _captured(obis, into)
        if found is not None:
            captured[obis] = found
    wanted = {item.obis: item.class_id for item in plan.registers}
    for _, columns in captured.values():
        wanted |= {item.obis: item.class_id for item in columns if item.class_id in _SCALER_AT}
    yield from _scalers(wanted, plan.list_max, scalers)
    profiles: dict[str, ProfileLayout] = {}
    for obis, (period_s, columns) in captured.items():
        try:
            profiles[str(obis)] = profile_layout(obis, period_s, columns, scalers)
        except ConfigError as error:
            into.refusals.append((str(obis), str(error)))
    pushes: dict[str, tuple[tuple[int, str, int], ...]] = {}
    for obis in plan.pushes:
        objects = _typed(_PUSH_SETUP, 2, (yield Get(AttributeDescriptor(_PUSH_SETUP, obis, 2))))
        if isinstance(objects, tuple) and all(isinstance(item, CaptureObject | PushObject) for item in objects):
            pushes[str(obis)] = tuple((item.class_id, str(item.obis), item.attribute) for item in objects)
    asked = (*(str(obis) for obis in wanted), *(str(obis) for obis, _, _ in plan.profiles))
    refused = tuple(code for code in dict.fromkeys(asked) if code not in scalers and code not in profiles)
    return DeviceLayout(identity, scalers, profiles, pushes, refused, clock() if refused else 0.0)


def _captured(obis: Obis, into: Collected) -> Part[tuple[int, tuple[CaptureObject, ...]] | None]:
    objects = _typed(_PROFILE, 3, (yield Get(AttributeDescriptor(_PROFILE, obis, 3))))
    period = _typed(_PROFILE, 4, (yield Get(AttributeDescriptor(_PROFILE, obis, 4))))
    if not isinstance(objects, tuple) or not all(isinstance(item, CaptureObject) for item in objects):
        into.refusals.append((str(obis), "its capture objects are unreadable"))
        return None
    return (period if isinstance(period, int) else 0), objects


def _scalers(wanted: dict[Obis, int], list_max: int, scalers: dict[str, tuple[int, int]]) -> Part[None]:
    """Scaler and unit of each object; one of a class without a unit counts as it stands."""
    items = [
        AttributeDescriptor(class_id, obis, _SCALER_AT[class_id])
        for obis, class_id in wanted.items()
        if class_id in _SCALER_AT
    ]
    answers = yield from get_many(items, list_max)
    for item, answer in zip(items, answers, strict=True):
        value = _typed(item.class_id, item.attribute, answer)
        if isinstance(value, ScalerUnit):
            scalers[str(item.obis)] = (value.scaler, value.unit)
    scalers |= {str(obis): _NO_SCALER for obis, class_id in wanted.items() if class_id not in _SCALER_AT}


def _registers(plan: Plan, layout: DeviceLayout, into: Collected, clock: UnixClock) -> Part[None]:
    items = [item for item in plan.registers if str(item.obis) in layout.scalers]
    answers = yield from get_many(items, plan.list_max)
    for item, answer in zip(items, answers, strict=True):
        if isinstance(answer, bytes):
            into.registers.append(Raw(item.obis, answer, clock()))
        else:
            into.refused(str(item.obis), answer)


def get_many(items: list[AttributeDescriptor], list_max: int) -> Part[list[Answer]]:
    """Read attributes in lists of ``list_max``; one by one if that is 1 or below, or the device takes no list."""
    answers: list[Answer] = []  # None for what did not come
    step = max(1, list_max)
    for start in range(0, len(items), step):
        part = items[start : start + step]
        if len(part) == 1:
            answers.append((yield Get(part[0])))
            continue
        answer = yield GetList(tuple((item, None) for item in part))
        if isinstance(answer, tuple) and not isinstance(answer, ActionOutcome) and any(map(_is_data, answer)):
            answers.extend(answer)
        else:
            answers += yield from _one_by_one(part)
    return answers


def _one_by_one(items: list[AttributeDescriptor]) -> Part[list[Answer]]:
    answers: list[Answer] = []
    for item in items:
        answer = yield Get(item)
        answers.append(answer)
    return answers


def _is_data(answer: object) -> bool:
    return isinstance(answer, bytes)


def _typed(class_id: int, attribute: int, answer: Answer) -> object:
    if not isinstance(answer, bytes):
        return None
    try:
        return typed(class_id, attribute, axdr.decode_all(answer))
    except DecodeError:
        return None


def _text(octets: bytes) -> str:
    try:
        value, _ = axdr.to_native(octets)
    except DecodeError:
        return octets.hex()
    if isinstance(value, bytes):
        return value.decode("ascii") if value.isascii() and value.decode("ascii").isprintable() else value.hex()
    return str(value)
