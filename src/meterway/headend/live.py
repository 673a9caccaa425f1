"""What happens, as it happens: told to whoever listens (pages, the terminal), never waited for."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

__all__ = ["Happening", "Live"]

_BACKLOG: Final = 256


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: ``kind`` is a word (``collected``, ``failed``, ``event``, ``command``, ``push``)."""

    kind: str
    serial: str
    text: str
    time_s: float
    detail: dict[str, int | float | str | None]


class Live:
    """Counts every happening and passes it to the listeners; one that does not keep up loses the oldest."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Happening]] = set()
        self.recent: deque[Happening] = deque(maxlen=_BACKLOG)
        self.counts: Counter[str] = Counter()

    def tell(self, happening: Happening) -> None:
        """Pass it on."""
        self.counts[happening.kind] += 1
        self.recent.append(happening)
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(happening)

    async def listen(self) -> AsyncIterator[Happening]:
        """All that happens from now on, until the caller stops."""
        queue: asyncio.Queue[Happening] = asyncio.Queue(_BACKLOG)
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)
