"""Clocks to wait by: a virtual one that moves only in ``run``, and the real one of an asyncio loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final

__all__ = ["LoopClock", "VirtualClock"]

_FEW: Final = 256


class _Due:
    """Something that is to happen; without an action it is not to happen any more."""

    __slots__ = ("_clock", "action")

    def __init__(self, action: Callable[[], None], clock: VirtualClock) -> None:
        self.action: Callable[[], None] | None = action
        self._clock = clock

    def cancel(self) -> None:
        """It is not to happen any more."""
        if self.action is not None:
            self.action = None
            self._clock.cancelled()


class VirtualClock:
    """Unix time that moves only in ``run``. Any number of networks and devices may share one."""

    __slots__ = ("_cancelled", "_count", "_due", "_now")

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._due: list[tuple[float, int, _Due]] = []
        self._count = 0
        self._cancelled = 0

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    def call_at(self, when: float, action: Callable[[], None]) -> _Due:
        """Have ``action`` called when the clock stands at ``when``; in the next step of ``run`` if that is past."""
        self._count += 1
        due = _Due(action, self)
        heappush(self._due, (when, self._count, due))
        return due

    def run(self, until: float) -> None:
        """Let time pass until ``until``: calls are made in order of time, those of one time in order of asking."""
        waiting = self._due
        while waiting and waiting[0][0] <= until:
            when, _, due = heappop(waiting)
            action, due.action = due.action, None
            if action is None:
                self._cancelled -= 1
                continue
            if when > self._now:
                self._now = when
            action()
        self._now = max(self._now, until)

    def cancelled(self) -> None:
        """A call was cancelled (``cancel`` says so); when most of what waits is, it is thrown out."""
        self._cancelled += 1
        if self._cancelled > _FEW and 2 * self._cancelled > len(self._due):
            self._due[:] = [entry for entry in self._due if entry[2].action is not None]
            heapify(self._due)
            self._cancelled = 0


class LoopClock:
    """Real Unix time on the running asyncio loop. ``unix`` gives it."""

    __slots__ = ("_loop", "_unix")

    def __init__(self, unix: Callable[[], float] = time.time) -> None:
        self._loop = asyncio.get_running_loop()
        self._unix = unix

    def now(self) -> float:
        """Unix seconds."""
        return self._unix()

    def call_at(self, when: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Have ``action`` called when the clock stands at ``when``, or at once if that is past."""
        return self._loop.call_later(max(0.0, when - self._unix()), action)
