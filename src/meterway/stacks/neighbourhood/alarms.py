"""Many alarms, one next: what a station waits for, by key, without looking through all of it."""

from __future__ import annotations

from collections.abc import Hashable
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

__all__ = ["Alarms"]

KeyT = TypeVar("KeyT", bound=Hashable)


class Alarms(Generic[KeyT]):
    """One alarm a key at most; setting it again moves it. Setting, cancelling and asking cost O(log n) at most."""

    __slots__ = ("_count", "_heap", "_when")

    def __init__(self) -> None:
        self._when: dict[KeyT, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, KeyT]] = []
        self._count = 0

    def set(self, key: KeyT, when: float | None) -> None:
        """Let ``key`` come up at ``when``; None cancels it."""
        if when is None:
            self._when.pop(key, None)
            return
        held = self._when.get(key)
        if held is not None and held[0] == when:
            return
        self._count += 1
        self._when[key] = (when, self._count)
        heappush(self._heap, (when, self._count, key))
        if len(self._heap) > 64 + 4 * len(self._when):
            self._heap = [(at, number, one) for one, (at, number) in self._when.items()]
            heapify(self._heap)

    def cancel(self, key: KeyT) -> None:
        """Let ``key`` not come up; nothing happens if it was not set."""
        self._when.pop(key, None)

    def when(self, key: KeyT) -> float | None:
        """When ``key`` comes up, or None."""
        held = self._when.get(key)
        return None if held is None else held[0]

    def next(self) -> float | None:
        """When the first one comes up, or None."""
        heap, when = self._heap, self._when
        while heap:
            at, number, key = heap[0]
            if when.get(key) == (at, number):
                return at
            heappop(heap)
        return None

    def take_due(self, now: float) -> list[KeyT]:
        """Every key whose time has come, the earliest first; each is taken away."""
        due: list[KeyT] = []
        while (at := self.next()) is not None and at <= now:
            key = heappop(self._heap)[2]
            del self._when[key]
            due.append(key)
        return due
