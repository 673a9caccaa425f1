"""Broadcast APDUs in PRIME: segments without numbers of packets, and so without repetition or acknowledgement.

Nothing in a broadcast packet tells a late copy from a new one. So the sender leaves ``gap`` seconds between two equal
ones and around each that has several segments, and a receiver drops what it heard less than half of that before. Both
are rules of this implementation, not of the norm; they hold as long as the medium delays no frame longer than that.
"""

from __future__ import annotations

from collections import deque

from meterway.stacks.neighbourhood.prime.sar import Basket

__all__ = ["BroadcastSink", "BroadcastSource"]


class BroadcastSource:
    """What is to be broadcast: each item is the segments of one LLC frame."""

    __slots__ = ("_free_at", "_gap", "_queue", "_recent")

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._queue: deque[tuple[bytes, ...]] = deque()
        self._recent: dict[tuple[bytes, ...], float] = {}
        self._free_at = float("-inf")

    def send(self, segments: tuple[bytes, ...]) -> None:
        """Take one LLC frame to send."""
        self._queue.append(segments)

    def outgoing(self, now: float) -> list[bytes]:
        """The segments that are to go out now."""
        out: list[bytes] = []
        while self._queue and self._when() <= now:
            whole = self._queue.popleft()
            self._recent = {one: at for one, at in self._recent.items() if at + self._gap > now}
            self._recent[whole] = now
            if len(whole) > 1:
                self._free_at = now + self._gap
            out.extend(whole)
        return out

    def _when(self) -> float:
        """When the first of the queue may go."""
        whole = self._queue[0]
        if len(whole) > 1:
            last = max(self._recent.values(), default=float("-inf"))
        else:
            last = self._recent.get(whole, float("-inf"))
        return max(self._free_at, last + self._gap)

    def next_timeout(self) -> float | None:
        """When ``outgoing`` has something, or None."""
        return self._when() if self._queue else None


class BroadcastSink:
    """Collects broadcast segments."""

    __slots__ = ("_basket", "_heard_at", "_memory", "_seen")

    def __init__(self, gap: float) -> None:
        self._memory = gap / 2
        self._basket = Basket()
        self._seen: dict[bytes, float] = {}
        self._heard_at = float("-inf")

    def take(self, segment: bytes, now: float) -> bytes | None:
        """Take a segment; the LLC frame if it is whole now, None also for a copy. DecodeError as of ``Basket.add``."""
        self._seen = {one: at for one, at in self._seen.items() if at + self._memory > now}
        if segment in self._seen:
            return None
        self._seen[segment] = now
        if now - self._heard_at >= self._memory:
            self._basket.clear()
        self._heard_at = now
        return self._basket.add(segment, in_order=False)
