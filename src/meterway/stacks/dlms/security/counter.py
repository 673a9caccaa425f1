"""Invocation counters: they only rise, also over a restart.

A sender reserves counters ahead: before the first counter of a reservation is used, its end is handed to
``reserve``, which must make it durable. After a crash the sender goes on from the end of the last reservation;
counters in between are lost, none is used twice.

What is durable may itself be lost: a backup that is put back knows only what was reserved when it was made. A sender
that begins no lower than ``counter_at`` says repeats nothing then either, as long as it has used, on the whole, no more
than one counter a second.
"""

from __future__ import annotations

from collections.abc import Callable

from meterway.base.errors import SecurityError

__all__ = ["MAX_COUNTER", "ReceivedCounter", "SendCounter", "counter_at"]

MAX_COUNTER = 0xFFFFFFFF
_2020 = 1_577_836_800


def counter_at(unix_s: float) -> int:
    """The counter that one a second since 2020 has come to; 0 before, and never beyond the middle of the range."""
    return min(max(int(unix_s) - _2020, 0), MAX_COUNTER // 2)


class SendCounter:
    """Gives each counter once. ``start`` is the first that was never used or reserved before.

    Without ``reserve`` it ends before ``end``: whoever reserved that range gives a new counter in time.
    """

    __slots__ = ("_end", "_limit", "_next", "_reserve", "_step")

    def __init__(
        self,
        start: int = 0,
        *,
        reserve: Callable[[int], None] | None = None,
        step: int = 1000,
        end: int = MAX_COUNTER + 1,
    ) -> None:
        self._next = start
        self._end = end
        self._limit = start if reserve else end
        self._reserve = reserve
        self._step = step

    @property
    def next(self) -> int:
        """The counter that the next protected APDU will carry."""
        return self._next

    @property
    def left(self) -> int:
        """How many there are before the end."""
        return self._end - self._next

    def take(self) -> int:
        """The next counter; SecurityError(counter) when all are used up (at the very end the key must be changed)."""
        value = self._next
        if value >= self._limit:
            self._extend(value)
        self._next = value + 1
        return value

    def _extend(self, value: int) -> None:
        if value >= self._end or self._reserve is None:
            raise SecurityError("the invocation counters at hand are used up", "counter")
        limit = min(value + self._step, self._end)
        self._reserve(limit)
        self._limit = limit

    def raise_to(self, value: int) -> None:
        """Go on from ``value`` if that is higher: a counter never falls."""
        self._next = max(self._next, value)


class ReceivedCounter:
    """Remembers the highest counter that verified; anything not above it is a replay."""

    __slots__ = ("last",)

    def __init__(self, last: int = -1) -> None:
        self.last = last

    def check(self, counter: int) -> None:
        """SecurityError(counter) unless ``counter`` is above the last one accepted."""
        if counter <= self.last:
            raise SecurityError(
                f"invocation counter {counter} is not above {self.last}: a replayed or re-ordered message", "counter"
            )
