"""The registers of a module: what it read of the meter it is fitted to, and nothing before that."""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from meterway.meter.mbus.usage import HOUR_S, Ints, Usage

__all__ = ["ReadUsage"]

_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadUsage(Usage):
    """A register as it was read from time to time; between two readings it stands still."""

    samples: list[tuple[int, int]] = field(default_factory=list)
    """Unix seconds and value, by time."""

    def take(self, unix_s: float, value: int) -> None:
        """The meter showed this."""
        insort(self.samples, (int(unix_s), value))
        del self.samples[:-_KEPT]

    @property
    def known_from_s(self) -> float:
        """When it was read first; never, if it was not."""
        return self.samples[0][0] if self.samples else math.inf

    def registers(self, times_s: Ints) -> Ints:
        """What was read last before each moment; zero before the first reading, of which nothing is told."""
        return np.array([[self._at(int(moment))] for moment in times_s], np.int64).reshape(len(times_s), 1)

    def _at(self, moment: int) -> int:
        place = bisect_right(self.samples, (moment, 1 << 62))
        return self.samples[place - 1][1] if place else 0

    def rates(self, unix_s: float) -> tuple[int, ...]:
        """What the last two readings differ by, an hour."""
        place = bisect_right(self.samples, (int(unix_s), 1 << 62))
        if place < 2:
            return (0,)
        (before_s, before), (after_s, after) = self.samples[place - 2 : place]
        return ((after - before) * HOUR_S // max(after_s - before_s, 1),)
