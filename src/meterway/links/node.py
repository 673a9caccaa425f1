"""What a neighbourhood network is to whoever sits on it: whole frames to and from nodes, and a clock to wait by.

The simulated medium in memory (on a virtual clock) and the one behind a socket (in real time) both have this shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

__all__ = ["BROADCAST", "Call", "FrameHeard", "NodeClock", "NodePort", "OnFrame"]

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
