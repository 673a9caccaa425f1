"""The balance of the transformer: what went into the network against what left it, interval by interval of a day. Pure.

Into it goes what the supervision meter imports and what meters feed in; out of it what meters take and what flows back
through the transformer. The rest is lost in the cables, or not metered. An interval that anybody lacks is not judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from meterway.mapping.transformer import DayBalance, Lack, Verdict

__all__ = ["DAY_S", "BalanceRules", "DaySums", "Interval", "Registers", "beyond_run"]

DAY_S: Final = 86400
_NAMED: Final = 32
_ALWAYS: Final = float("-inf")

Registers = Mapping[int, tuple[int, int]]
"""Of one meter, by time: the registers of import and export (Wh)."""


class Interval(NamedTuple):
    """From ``start_s`` on, one period: Wh into the network, Wh out of it, and how many meters lack it."""

    start_s: int
    given: int
    taken: int
    missing: int

    @property
    def lost(self) -> int:
        """Wh that no meter accounts for."""
        return self.given - self.taken


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRules:
    """The band of the loss, as shares of what was given; what leaves it by less than ``least_wh`` a day is within.

    A day of which less than the part ``complete`` is known of everybody is not judged. After ``days`` judged days
    beyond the band an alarm is raised.
    """

    low: float = -0.02
    high: float = 0.06
    least_wh: int = 500
    complete: float = 0.75
    days: int = 3


class DaySums:
    """The sums of one day, to which meters are added one after another. ``period_s`` divides the day."""

    def __init__(self, day_s: int, period_s: int) -> None:
        self.day_s = day_s
        self.period_s = period_s
        count = DAY_S // period_s
        self._given = [0] * count
        self._taken = [0] * count
        self._missing = [0] * count
        self._lacks: dict[str, int] = {}
        self.is_known = False
        """Whether anybody told anything of the day."""

    def add(
        self, serial: str, registers: Registers, *, is_supervision: bool = False, from_s: float = _ALWAYS,
        is_gone: bool = False,
    ) -> None:  # fmt: skip
        """Add a meter. Intervals it lacks are noted: nothing is expected before ``from_s``, nor of one that is gone."""
        lacks = 0
        for place in range(len(self._given)):
            start = self.day_s + place * self.period_s
            brought = _brought(registers, start, self.period_s)
            if brought is None:
                if not is_gone and start >= from_s:
                    self._missing[place] += 1
                    lacks += 1
                continue
            self.is_known = True
            imported, exported = brought
            self._given[place] += imported if is_supervision else exported
            self._taken[place] += exported if is_supervision else imported
        if lacks:
            self._lacks[serial] = lacks

    def intervals(self) -> list[Interval]:
        """All intervals of the day as they stand."""
        starts = range(self.day_s, self.day_s + DAY_S, self.period_s)
        return [Interval(*one) for one in zip(starts, self._given, self._taken, self._missing, strict=True)]

    def judged(self, rules: BalanceRules, *, now: float, revision: int = 1) -> DayBalance:
        """The day over the intervals that are known of everybody."""
        whole = [one for one in self.intervals() if not one.missing]
        given, taken = sum(one.given for one in whole), sum(one.taken for one in whole)
        lacks = sorted(self._lacks.items(), key=lambda one: (-one[1], one[0]))
        return DayBalance(
            day=self.day_s,
            revision=revision,
            judged=int(now),
            period=self.period_s,
            intervals=len(self._given),
            complete=len(whole),
            given=given,
            taken=taken,
            low=round(rules.low * 1000),
            high=round(rules.high * 1000),
            verdict=_verdict(rules, len(whole) / len(self._given), given, given - taken),
            lacking=len(lacks),
            missing=tuple(Lack(*one) for one in lacks[:_NAMED]),
        )


def _brought(meter: Registers, start: int, period_s: int) -> tuple[int, int] | None:
    """Import and export of one interval; None if either end is not there or a register fell."""
    first, last = meter.get(start), meter.get(start + period_s)
    if first is None or last is None:
        return None
    imported, exported = last[0] - first[0], last[1] - first[1]
    return None if imported < 0 or exported < 0 else (imported, exported)


def _verdict(rules: BalanceRules, complete: float, given: int, lost: int) -> Verdict:
    if complete < rules.complete:
        return Verdict.OPEN
    over = max(lost - rules.high * given, rules.low * given - lost)
    return Verdict.BEYOND if over > 0 and over >= rules.least_wh else Verdict.WITHIN


def beyond_run(days: Iterable[DayBalance]) -> Sequence[DayBalance]:
    """The judged days, up to the last one, that are beyond the band without one within between; the oldest first."""
    run: list[DayBalance] = []
    for one in sorted(days, key=lambda day: day.day):
        if one.verdict is Verdict.BEYOND:
            run.append(one)
        elif one.verdict is Verdict.WITHIN:
            run.clear()
    return run
