"""What happens, as it happens: numbered and kept a while for whoever looks (pages, the terminal)."""

from __future__ import annotations

from collections import Counter, deque
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
    """Counts every happening and keeps the last ones; who listens asks for what came after the last it knows."""

    def __init__(self) -> None:
        self.recent: deque[Happening] = deque(maxlen=_BACKLOG)
        self.counts: Counter[str] = Counter()
        self.total = 0
        """How many there were: the number of the last one."""

    def tell(self, happening: Happening) -> None:
        """Count it and keep it."""
        self.counts[happening.kind] += 1
        self.total += 1
        self.recent.append(happening)

    def since(self, number: int) -> list[Happening]:
        """What happened after the one of that number, as far as it is kept; all if there is none of that number yet."""
        fresh = self.total - number if number <= self.total else self.total
        rows = list(self.recent)
        return rows[max(0, len(rows) - fresh) :]
