"""What a simulated neighbourhood network tells of itself: arrivals, transmissions, routes, counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Arrival", "Carried", "NeighbourhoodStatistics", "Route"]


class Arrival(NamedTuple):
    """A frame that is to be handed to ``node``; ``time_s`` is the end of its last transmission."""

    node: int
    source: int
    octets: bytes
    time_s: float
    hops: int
    is_broadcast: bool


class Carried(NamedTuple):
    """One transmission that has ended: a frame of ``source`` for ``to`` over one link, or to all who hear it.

    ``receiver`` is ``BROADCAST`` for a broadcast. ``result`` is ``arrived`` (at its end), ``passed`` (on to the next
    hop), ``heard`` (broadcast), or why it failed: ``noise``, ``collision``, ``vanished``.
    """

    sender: int
    receiver: int
    source: int
    to: int
    octets: bytes
    start_s: float
    end_s: float
    hop: int
    attempt: int
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node's way to its coordinator, the nearest if there are several.

    A node without a way has neither ``parent`` nor ``coordinator``, and 0 ``hops``; a coordinator is its own.
    ``quality`` is the chance of one transmission over the first link both ways (up, down), ``cost`` the expected
    transmissions to the coordinator and back per frame, ``queue`` how many frames wait, ``tried`` and ``failed`` count
    its transmissions to one node.
    """

    node: int
    present: bool
    coordinator: int | None
    parent: int | None
    hops: int
    quality: tuple[float, float]
    cost: float
    queue: int
    tried: int
    failed: int


@dataclass(slots=True, kw_only=True)
class NeighbourhoodStatistics:
    """Counts since the beginning.

    ``sent`` frames for one node end as ``delivered`` (each once; ``duplicated`` counts second deliveries) or in
    ``lost`` by cause: ``noise``, ``collision``, ``vanished`` (a node on the way), ``no route``, ``queue`` (full),
    ``late`` (too old), ``hops`` (too many). ``broadcasts`` were ``heard`` at so many nodes. ``transmissions`` are all
    that was on the medium, ``repetitions`` those that repeated one, ``failed`` by cause those to one node that did not
    arrive; ``airtime_s`` their time together, gaps and acknowledgements included, ``reroutes`` how often routes were
    chosen.
    """

    sent: int = 0
    delivered: int = 0
    duplicated: int = 0
    broadcasts: int = 0
    heard: int = 0
    transmissions: int = 0
    repetitions: int = 0
    reroutes: int = 0
    airtime_s: float = 0.0
    lost: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
