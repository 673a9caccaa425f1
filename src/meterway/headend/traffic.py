"""What goes over the interfaces of the reference figure, as whoever is an end of one tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["InterfaceTraffic", "TrafficSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceTraffic:
    """What went over one interface of the reference figure since the start.

    ``entities`` counts the devices at the far end, ``label`` is the interface's name (``I``, ``H1``, ...).
    """

    label: str
    between: str
    entities: int
    sessions: int
    octets: int


TrafficSource = Callable[[], list[InterfaceTraffic]]
"""Asked again and again for running totals; it must not block."""
