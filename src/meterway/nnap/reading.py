"""The script by which a meter is read: its clock, what is not known of it yet, then what is missing, slice by slice.

What came is kept slice by slice: a conversation that breaks off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Protocol, TypeVar

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.mapping.profile import load_profile
from meterway.nnap.node import Cached, Node, Series
from meterway.nnap.plan import PlanRules
from meterway.nnap.rows import Row, cut_rows
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import RangeSelector
from meterway.stacks.dlms.client.script import Answer, Ask, Get, GetList, Script, Set
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["CLOCK", "Keeper", "ReadRules", "Wanted", "read_meter", "wanted_of"]

CLOCK: Final = AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2)
_PROFILE: Final = 7
_SCALER_AT: Final = {3: 3, 4: 3, 5: 4}
_LIST: Final = 12
_LOG_ROW_S: Final = 3600.0
"""A log has no period: a slice of it is as long as that of a profile of hours."""

T = TypeVar("T")
Part = Generator[Ask, Answer, T]


class Keeper(Protocol):
    """Where what was read goes; it is durable when a call returns."""

    def rows(self, node: Node, series: Series, rows: list[Row], upto_s: float) -> None:
        """Keep rows, once each, and that the profile is whole up to ``upto_s``."""

    def attributes(self, node: Node, found: dict[AttributeDescriptor, Cached]) -> None:
        """Keep attributes as they were read."""

    def attribute(self, node: Node, item: AttributeDescriptor) -> Cached | None:
        """An attribute that was kept, or None."""

    def series(self, node: Node, series: Series) -> None:
        """Keep what a profile captures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of a kind of meter is collected: names, present values, profiles and logs."""

    identity: tuple[AttributeDescriptor, ...]
    registers: tuple[AttributeDescriptor, ...]
    profiles: tuple[Obis, ...]
    logs: tuple[Obis, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRules:
    """``settled_s``: rows older than this come no more. A clock off by more than ``clock_limit_s`` is set."""

    settled_s: float = 1800.0
    clock_limit_s: float = 10.0
    sets_clock: bool = True
    profiles: tuple[Obis, ...] | None = None
    """The profiles that are read; None: all that the companion profile collects."""
    logs: tuple[Obis, ...] | None = None
    registers: bool = True


@lru_cache(maxsize=64)
def wanted_of(profile: str) -> Wanted:
    """What the companion profile says is collected; ConfigError if there is none of that name."""
    known = load_profile(profile)
    return Wanted(
        identity=tuple(AttributeDescriptor(1, one.obis, 2) for one in known.collected("identity") if one.class_id == 1),
        registers=tuple(
            AttributeDescriptor(one.class_id, one.obis, 2)
            for one in known.collected("register")
            if one.class_id in (3, 4)
        ),
        profiles=tuple(one.obis for one in known.collected("profile")),
        logs=tuple(one.obis for one in known.collected("log")),
    )


def read_meter(
    node: Node, keeper: Keeper, clock: Callable[[], float], plan: PlanRules, rules: ReadRules,
    noted: Callable[[str, float], None],
) -> Script[None]:  # fmt: skip
    """Everything that is due of one meter. ``noted`` hears of the clock: ``set`` or ``off``, and by how much."""
    wanted = wanted_of(node.profile)
    yield from _check_clock(node, keeper, clock, rules, noted)
    profiles = wanted.profiles if rules.profiles is None else rules.profiles
    logs = wanted.logs if rules.logs is None else rules.logs
    if not node.mirror.learned:
        yield from _learn(node, keeper, clock, wanted, (*profiles, *logs), rules)
    for obis in (*profiles, *logs):
        series = node.mirror.series.get(obis)
        if series is not None and series.is_known:
            yield from _catch_up(node, keeper, clock, series, plan, rules)
    if rules.registers:
        yield from _attributes(node, keeper, clock, wanted.registers)


def _attributes(
    node: Node, keeper: Keeper, clock: Callable[[], float], items: tuple[AttributeDescriptor, ...]
) -> Part[None]:
    """Read attributes in lists, one by one where the meter takes no list; what is refused is left out."""
    for start in range(0, len(items), _LIST):
        part = items[start : start + _LIST]
        answer = yield GetList(tuple((item, None) for item in part))
        answers: list[object] = list(answer) if isinstance(answer, tuple) else []
        if not any(isinstance(one, bytes) for one in answers):
            answers = []
            for item in part:
                one = yield Get(item)
                answers.append(one)
        now = clock()
        found = {item: Cached(one, now) for item, one in zip(part, answers, strict=False) if isinstance(one, bytes)}
        if found:
            keeper.attributes(node, found)


# -- the clock --------------------------------------------------------------------------------------------


def _check_clock(
    node: Node, keeper: Keeper, clock: Callable[[], float], rules: ReadRules, noted: Callable[[str, float], None]
) -> Part[None]:
    """The meter's answer was made about half way between question and answer."""
    answer = yield Get(CLOCK)
    now = clock()
    half_trip_s = node.talk.trip_s / 2 if node.talk is not None else 0.0
    node.measured(half_trip_s)
    if not isinstance(answer, bytes):
        return
    moment = typed(8, 2, axdr.decode_all(answer))
    utc = moment.utc(0) if isinstance(moment, CosemDateTime) else None
    if utc is None or not isinstance(moment, CosemDateTime):
        noted("off", float("nan"))
        return
    error = utc.timestamp() - (now - half_trip_s)
    node.mirror.clock_error_s = error
    keeper.attributes(node, {CLOCK: Cached(answer, now)})
    if abs(error) <= rules.clock_limit_s:
        return
    if not rules.sets_clock:
        noted("off", error)
        return
    done = yield Set(CLOCK, axdr.encode(axdr.octets(right_time(clock() + node.half_trip_s, moment))))
    if done is DataAccessResult.SUCCESS:
        node.mirror.clock_error_s = 0.0
        noted("set", error)
    else:
        noted("off", error)


def right_time(unix_s: float, like: CosemDateTime) -> bytes:
    """A time in the meter's own deviation and season, to the nearest second."""
    deviation = like.deviation_min or 0
    moment = datetime.fromtimestamp(round(unix_s), UTC)
    fresh = CosemDateTime.from_utc(moment, deviation, dst=bool(like.daylight_saving))
    return fresh.encode()


# -- first contact ----------------------------------------------------------------------------------------


def _learn(
    node: Node, keeper: Keeper, clock: Callable[[], float], wanted: Wanted, profiles: tuple[Obis, ...], rules: ReadRules
) -> Part[None]:
    """Names, what the profiles capture, and the scalers of all that they capture."""
    units: dict[AttributeDescriptor, None] = {}
    for obis in profiles:
        series = yield from _captured(node, keeper, clock, obis)
        for column in series.columns if series is not None else ():
            place = _SCALER_AT.get(column.class_id)
            if place is not None:
                units[AttributeDescriptor(column.class_id, column.obis, place)] = None
    for item in wanted.registers if rules.registers else ():
        units[AttributeDescriptor(item.class_id, item.obis, _SCALER_AT[item.class_id])] = None
    yield from _attributes(node, keeper, clock, (*wanted.identity, *units))
    node.mirror.learned = True


def _captured(node: Node, keeper: Keeper, clock: Callable[[], float], obis: Obis) -> Part[Series | None]:
    items = tuple(AttributeDescriptor(_PROFILE, obis, place) for place in (3, 4))
    yield from _attributes(node, keeper, clock, items)
    known = [keeper.attribute(node, item) for item in items]
    columns, period = (None if one is None else _described(at, one.octets) for at, one in enumerate(known, 3))
    if not isinstance(columns, tuple) or not isinstance(period, int):
        return None
    series = node.mirror.series.get(obis) or Series(obis=obis)
    series.columns = columns
    series.period_s = period
    keeper.series(node, series)
    node.mirror.series[obis] = series
    return series


@lru_cache(maxsize=256)
def _described(attribute: int, octets: bytes) -> tuple[CaptureObject, ...] | int | None:
    """What a profile captures (3) or its period (4); None if it is neither. Many meters have the same."""
    found = as_typed(_PROFILE, attribute, octets)
    if isinstance(found, tuple):
        return tuple(column for column in found if isinstance(column, CaptureObject))
    return found if isinstance(found, int) else None


# -- profiles ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def range_selection(from_s: int, to_s: int, deviation_min: int = 0) -> Selection:
    """Rows captured within [from, to], Unix seconds, asked in local time of a deviation."""
    start, end = (CosemDateTime.from_utc(datetime.fromtimestamp(t, UTC), deviation_min) for t in (from_s, to_s))
    return Selection(RangeSelector.selector, RangeSelector.between(start, end).encode())


def _catch_up(
    node: Node, keeper: Keeper, clock: Callable[[], float], series: Series, plan: PlanRules, rules: ReadRules
) -> Part[None]:
    """Ask for what is missing, a slice at a time."""
    start = float(int(clock()))
    if not series.upto_s:
        series.upto_s = start - plan.first_days * 86400
    while series.upto_s + max(series.period_s, 1) <= start:
        from_s = int(series.upto_s) + (1 if series.period_s else 0)
        to_s = int(min(from_s + (series.period_s or _LOG_ROW_S) * plan.rows, start))
        answer = yield Get(AttributeDescriptor(_PROFILE, series.obis, 2), range_selection(from_s, to_s, 0))
        if not isinstance(answer, bytes):
            return
        rows = cut_rows(answer, series.columns, series.period_s)
        upto = _upto(rows, to_s, clock(), rules)
        if upto <= series.upto_s:
            if rows:
                keeper.rows(node, series, rows, series.upto_s)
            return
        keeper.rows(node, series, rows, upto)
        series.upto_s = upto
        if to_s >= start:
            return


def _upto(rows: list[Row], to_s: float, now: float, rules: ReadRules) -> float:
    """Up to when the profile is whole: the last row, or the end of the slice where that is long enough ago."""
    last = float(max((row.time_s for row in rows), default=0))
    settled = min(to_s, now - rules.settled_s)
    return max(last if last <= now else 0.0, settled)


def as_typed(class_id: int, attribute: int, octets: bytes) -> object:
    """An attribute as the classes define it; None if it is not of the class's type."""
    try:
        return typed(class_id, attribute, axdr.decode_all(octets))
    except DecodeError:
        return None
