"""Tariff use cases computed in the gateway, on the meter readings it holds. Pure.

The numbers are those of the German model: TAF 1 data-sparing, 2 time-variable, 6 on demand, 7 series of meter
readings, 9 actual feed-in, 10 grid state, 14 high frequency. A case says which readings leave the gateway at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final, NamedTuple

from meterway.base.errors import ConfigError
from meterway.interfaces.mbus.mirror import Quality

__all__ = ["CASES", "FAST_CASES", "FAST_DAYS", "Row", "Stage", "TariffCase", "stage_at", "stages_of", "view"]

CASES: Final = ("TAF1", "TAF2", "TAF6", "TAF7", "TAF9", "TAF10", "TAF14")
FAST_CASES: Final = ("TAF9", "TAF10", "TAF14")
"""Those that have readings at a period of their own."""
_DEMAND_DAYS: Final = 42
_FAST_S: Final = 60
FAST_DAYS: Final = 7
"""How long readings at a period of their own are kept."""
_DAY_S: Final = 86400


class Row(NamedTuple):
    """A register reading: Unix seconds, whole number, quality bits."""

    time_s: int
    raw: int
    quality: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A tariff stage in force on some weekdays (1 Monday to 7) from one minute of the local day to another."""

    number: int
    from_min: int = 0
    to_min: int = 1440
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)

    def holds(self, local: datetime) -> bool:
        """Whether it is in force at a local time; a stage may reach over midnight."""
        minute = local.hour * 60 + local.minute
        if self.from_min <= self.to_min:
            return local.isoweekday() in self.weekdays and self.from_min <= minute < self.to_min
        if minute >= self.from_min:
            return local.isoweekday() in self.weekdays
        return minute < self.to_min and (local - timedelta(days=1)).isoweekday() in self.weekdays


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffCase:
    """One use case for one party and channel. ``period_s`` is that of TAF 7, 9, 10 and 14.

    ``deadband`` is the change, in units of the raw number, that TAF 10 tells at once. ConfigError for what is unknown.
    """

    case: str
    party: str
    channel: int
    period_s: int = 3600
    stages: tuple[Stage, ...] = ()
    deadband: int = 0

    @property
    def step_s(self) -> int:
        """The shortest time between two readings: TAF 14 tells at most one a minute."""
        return max(self.period_s, _FAST_S) if self.case == "TAF14" else self.period_s

    def __post_init__(self) -> None:
        if self.case not in CASES:
            raise ConfigError(f"{self.case!r} is no tariff use case that is done here: {', '.join(CASES)}")
        if self.case == "TAF2" and not self.stages:
            raise ConfigError("TAF2 wants stages")
        if self.period_s < 1 or any(not 1 <= stage.number <= 63 for stage in self.stages):
            raise ConfigError(f"{self.case}: a period has at least 1 s, a stage a number from 1 to 63")


def stage_at(stages: Sequence[Stage], unix_s: float, zone: tzinfo) -> int:
    """The number of the stage in force, the first that holds; 0 (the error register) if none does."""
    local = datetime.fromtimestamp(unix_s, UTC).astimezone(zone)
    return next((stage.number for stage in stages if stage.holds(local)), 0)


def stages_of(stages: Sequence[Stage], rows: Sequence[Row], zone: tzinfo) -> dict[int, int]:
    """How much of a register's rise fell into each stage.

    What rose over a gap that touches more than one stage, or beside a reading that is not good, goes to stage 0: no
    customer is billed for a guess.
    """
    amounts = dict.fromkeys((0, *(stage.number for stage in stages)), 0)
    for before, after in pairwise(rows):
        if after.raw > before.raw:
            amounts[_stage_between(stages, before, after, zone)] += after.raw - before.raw
    return amounts


def _stage_between(stages: Sequence[Stage], before: Row, after: Row, zone: tzinfo) -> int:
    if before.quality & Quality.SUSPECT or after.quality & Quality.SUSPECT or after.time_s - before.time_s > _DAY_S:
        return 0
    first = stage_at(stages, before.time_s, zone)
    moments = range(before.time_s, after.time_s, 900)
    return first if all(stage_at(stages, moment, zone) == first for moment in moments) else 0


def view(case: TariffCase, rows: Sequence[Row], *, now: float, zone: tzinfo) -> list[Row]:
    """The readings that a use case lets out, of ``rows`` in order of time."""
    return _VIEWS[case.case](case, rows, now, zone)


def _at_starts(rows: Sequence[Row], start_of: Callable[[datetime], datetime], zone: tzinfo) -> list[Row]:
    """The first reading of each period that begins a new one: its reading at the period's start, or nothing."""
    found = []
    for row in rows:
        local = datetime.fromtimestamp(row.time_s, UTC).astimezone(zone)
        if local == start_of(local):
            found.append(row)
    return found


def _month(local: datetime) -> datetime:
    return _day(local).replace(day=1)


def _day(local: datetime) -> datetime:
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def _sparing(_: TariffCase, rows: Sequence[Row], now: float, zone: tzinfo) -> list[Row]:
    return _at_starts(rows, _month, zone)


def _on_demand(_: TariffCase, rows: Sequence[Row], now: float, zone: tzinfo) -> list[Row]:
    return [row for row in _at_starts(rows, _day, zone) if row.time_s >= now - _DEMAND_DAYS * _DAY_S]


def _series(case: TariffCase, rows: Sequence[Row], now: float, zone: tzinfo) -> list[Row]:
    if case.period_s == _DAY_S:
        return _at_starts(rows, _day, zone)  # days are local, and some have 23 or 25 hours
    return [row for row in rows if row.time_s % case.period_s == 0]


def _actual(_: TariffCase, rows: Sequence[Row], now: float, zone: tzinfo) -> list[Row]:
    return list(rows[-1:])


def _grid_state(case: TariffCase, rows: Sequence[Row], now: float, zone: tzinfo) -> list[Row]:
    """The first reading of each period, and each that moved by the deadband since the last one told."""
    told: list[Row] = []
    for row in rows:
        moved = told and case.deadband and abs(row.raw - told[-1].raw) >= case.deadband
        if not told or moved or row.time_s // case.step_s != told[-1].time_s // case.step_s:
            told.append(row)
    return told


def _fast(case: TariffCase, rows: Sequence[Row], now: float, zone: tzinfo) -> list[Row]:
    """The first reading of each period, of at least a minute, of the last days only."""
    told: list[Row] = []
    for row in rows:
        fresh = row.time_s >= now - FAST_DAYS * _DAY_S
        if fresh and (not told or row.time_s // case.step_s != told[-1].time_s // case.step_s):
            told.append(row)
    return told


_View = Callable[[TariffCase, Sequence[Row], float, tzinfo], list[Row]]
_VIEWS: Final[dict[str, _View]] = {
    "TAF1": _sparing,
    "TAF2": _sparing,
    "TAF6": _on_demand,
    "TAF7": _series,
    "TAF9": _actual,
    "TAF10": _grid_state,
    "TAF14": _fast,
}
