"""Telling copies from new frames where frames have no numbers: by their octets and by time.

S-FSK has no sequence numbers: on the real medium a frame and its repetitions stand in time slots that are known. Here a
receiver drops what it heard a short while ago, and a sender leaves a longer while between two equal frames. That is a
model of this implementation; it holds as long as the medium holds no frame back for longer than it was told.
"""

from __future__ import annotations

__all__ = ["Recent"]


class Recent:
    """Octets and when they were last heard or sent; what is older than ``memory`` seconds is forgotten."""

    __slots__ = ("_memory", "_when")

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._when: dict[bytes, float] = {}

    def note(self, octets: bytes, now: float) -> bool:
        """Remember ``octets`` from ``now`` on; whether they were remembered."""
        self._forget(now)
        known = self._when.pop(octets, None) is not None
        self._when[octets] = now
        return known

    def free_at(self, octets: bytes) -> float | None:
        """When ``octets`` are forgotten, or None if they are not remembered."""
        when = self._when.get(octets)
        return None if when is None else when + self._memory

    def _forget(self, now: float) -> None:
        """The oldest stand first, since each is put at the end when it is noted."""
        while self._when:
            octets = next(iter(self._when))
            if self._when[octets] + self._memory > now:
                break
            del self._when[octets]
