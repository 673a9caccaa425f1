"""What was overheard on a medium that somebody here listens to: frames as they were sent, for whoever looks.

A head end does not hear the air of a home; a town does, which runs the simulated one. Nobody listens: nothing is here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Frame", "Overheard"]

_KEPT: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame: when it began (Unix seconds), on which interface, from whom, how, and what became of it."""

    time_s: float
    interface: str
    station: str
    mode: str
    octets: bytes
    heard: int
    lost: dict[str, int] = field(default_factory=dict)
    """How many did not make it out, by cause."""


class Overheard:
    """The last frames; ``total`` counts all."""

    def __init__(self) -> None:
        self.total = 0
        self._frames: deque[Frame] = deque(maxlen=_KEPT)

    def tell(self, frame: Frame) -> None:
        """Keep a frame."""
        self.total += 1
        self._frames.append(frame)

    def latest(self, many: int) -> list[Frame]:
        """The last ones, the newest first."""
        return list(self._frames)[: -many - 1 : -1]
