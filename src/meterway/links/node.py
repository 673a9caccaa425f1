"""What a neighbourhood network is to whoever sits on it: whole frames to and from nodes, and a clock to wait by.

The simulated medium in memory (on a virtual clock) and the one behind a socket (in real time) both have this shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

__all__ = [
    "BROADCAST",
    "Call",
    "FrameHeard",
    "NodeClock",
    "NodePort",
    "NodeRoute",
    "NodeTimer",
    "OnFrame",
    "Topology",
]

BROADCAST: Final = 0xFFFF
"""The node number that means everyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameHeard:
    """One frame that arrived; ``source`` is the node it began at, ``time_s`` Unix time, ``hops`` the links it took."""

    octets: bytes
    source: int
    time_s: float
    hops: int = 1
    is_broadcast: bool = False
    simulated: bool = False


OnFrame = Callable[[FrameHeard], None]


class NodePort(Protocol):
    """One node's place on the network. ``node`` is the medium's own number for it, 0 to 0xFFFE."""

    @property
    def node(self) -> int:
        """Its number."""

    def listen(self, on_frame: OnFrame) -> None:
        """Hand every frame for this node, and every broadcast, to ``on_frame``."""

    def send(self, octets: bytes, *, to: int, urgent: bool = False) -> None:
        """Send one frame to a node or to ``BROADCAST``; ``urgent`` ones go before all others that wait at this node.

        LinkError after ``close`` or for more octets than the network's frames hold.
        """

    def close(self) -> None:
        """Hear and send no more."""


class NodeRoute(Protocol):
    """The way of one node to its coordinator. Without one it has no ``parent`` and 0 ``hops``."""

    @property
    def node(self) -> int:
        """Its number."""

    @property
    def parent(self) -> int | None:
        """The next node on the way; a coordinator has none or is its own."""

    @property
    def hops(self) -> int:
        """How many links there are."""

    @property
    def quality(self) -> tuple[float, float]:
        """The chance of one transmission over the first link, up and down."""


class Topology(Protocol):
    """Who knows the routes of a network, as the MAC of a modem does (PRIME's switches, routing tables of G3).

    Of a simulated medium it is the model that tells them; no octet on the medium does.
    """

    def routes(self) -> Sequence[NodeRoute]:
        """Every node with its way, as far as known now."""


class Call(Protocol):
    """Something that is to happen."""

    def cancel(self) -> None:
        """It is not to happen any more."""


class NodeClock(Protocol):
    """Unix time, real or virtual."""

    def now(self) -> float:
        """Unix seconds."""

    def call_at(self, when: float, action: Callable[[], None]) -> Call:
        """Have ``action`` called when the clock stands at ``when``, or at once if that is past."""


class NodeTimer:
    """One call at most on a clock. One that comes too early is set again by who is called: cheaper than a new one."""

    __slots__ = ("_action", "_call", "_clock", "_due")

    def __init__(self, clock: NodeClock, action: Callable[[], None]) -> None:
        self._clock = clock
        self._action = action
        self._call: Call | None = None
        self._due = 0.0

    def set(self, due: float | None) -> None:
        """Call by ``due``, Unix seconds; a call that comes before stays. None asks for nothing."""
        if due is None:
            return
        if self._call is not None:
            if self._due <= due:
                return
            self._call.cancel()
        self._due = due
        self._call = self._clock.call_at(due, self._fire)

    def cancel(self) -> None:
        """Call no more, until it is set again."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _fire(self) -> None:
        self._call = None
        self._action()
