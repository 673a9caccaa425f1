"""The balance of the transformer: what its supervision meter counted against what the meters behind it did.

Pure. Of each interval: energy into the network through the transformer, and the sum of what all meters took less what
they fed in. What is left over is lost in the cables, or not metered. An interval that any meter lacks is not judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

__all__ = ["Balance", "BalanceRules", "Interval", "balance", "findings"]

Registers = Mapping[int, tuple[int, int]]
"""Of one meter, by time: the registers of import and export (Wh)."""


class Interval(NamedTuple):
    """From ``start_s`` on, one period: Wh through the transformer, Wh that the meters account for, how many lack it."""

    start_s: int
    supplied: int
    metered: int
    missing: int

    @property
    def lost(self) -> int:
        """Wh that no meter accounts for."""
        return self.supplied - self.metered


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRules:
    """Cables lose a share up to ``usual``; more than ``beyond`` above what was usual of late is worth a look."""

    usual: float = 0.06
    beyond: float = 0.05
    least_wh: int = 500
    intervals: int = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A judgement over some intervals: shares of what was supplied."""

    supplied: int
    lost: int
    share: float
    usual: float
    suspicious: bool


def balance(
    supervision: Iterable[Registers], meters: Sequence[Registers], period_s: int, from_s: int, to_s: int
) -> list[Interval]:
    """The intervals within [from, to) that the supervision meters have."""
    tops = list(supervision)
    intervals = []
    for start in range(-(-from_s // period_s) * period_s, to_s - period_s + 1, period_s):
        supplied = [spent for top in tops if (spent := _net(top, start, period_s)) is not None]
        if not tops or len(supplied) < len(tops):
            continue
        taken = [_net(meter, start, period_s) for meter in meters]
        known = [one for one in taken if one is not None]
        intervals.append(Interval(start, sum(supplied), sum(known), len(taken) - len(known)))
    return intervals


def _net(meter: Registers, start: int, period_s: int) -> int | None:
    """Import less export of one interval; None if either end is not there or a register fell."""
    first, last = meter.get(start), meter.get(start + period_s)
    if first is None or last is None:
        return None
    imported, exported = last[0] - first[0], last[1] - first[1]
    return None if imported < 0 or exported < 0 else imported - exported


def findings(intervals: Sequence[Interval], rules: BalanceRules) -> Balance | None:
    """The last complete intervals judged against those before; None if there are not enough."""
    whole = [one for one in intervals if one.missing == 0 and one.supplied > 0]
    recent, before = whole[-rules.intervals :], whole[: -rules.intervals]
    if len(recent) < rules.intervals:
        return None
    supplied, lost = sum(one.supplied for one in recent), sum(one.lost for one in recent)
    share = lost / supplied
    known = [one.lost / one.supplied for one in before]
    usual = min(median(known), rules.usual) if len(known) >= rules.intervals else rules.usual
    suspicious = lost >= rules.least_wh and share > usual + rules.beyond
    return Balance(supplied=supplied, lost=lost, share=share, usual=usual, suspicious=suspicious)
