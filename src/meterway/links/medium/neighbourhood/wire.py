"""What a neighbourhood hub and its clients say to each other, in the manner of ``links.medium.messages``.

A client puts nodes on the network and sends for them; the hub says what they hear. Who watches learns the figures, the
routes and, if it wants, every transmission.
"""

from __future__ import annotations

from typing import Final

import msgspec

from meterway.links.medium.messages import Closed, MessageEngine
from meterway.links.medium.neighbourhood.records import Carried, Route

__all__ = [
    "Figures",
    "Heard",
    "Join",
    "Leave",
    "Message",
    "NeighbourhoodWire",
    "Refused",
    "Routes",
    "Send",
    "Transmitted",
    "Watch",
]


class Join(msgspec.Struct, frozen=True, array_like=True, tag="j"):
    """A node comes on the network; without a spot it stands where the hub's settings would have it."""

    node: int
    spot: tuple[float, float] | None = None


class Leave(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """A node vanishes."""

    node: int


class Send(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """A node sends a frame to another or to everyone."""

    node: int
    to: int
    octets: bytes
    urgent: bool = False


class Heard(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    """A frame that arrived at nodes of this client, each over so many hops."""

    octets: bytes
    source: int
    time_s: float
    nodes: tuple[tuple[int, int], ...]
    is_broadcast: bool = False


class Refused(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """What was asked for a node was not done."""

    node: int
    reason: str


class Watch(msgspec.Struct, frozen=True, array_like=True, tag="w"):
    """The client wants the figures and the routes now and, with ``frames``, every transmission from now on."""

    frames: bool = True


class Transmitted(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    """A transmission has ended; see ``Carried``."""

    carried: Carried


class Figures(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """Counts of the hub since it began; see ``NeighbourhoodStatistics``."""

    profile: str
    nodes: int
    sent: int
    delivered: int
    duplicated: int
    broadcasts: int
    heard: int
    transmissions: int
    repetitions: int
    reroutes: int
    airtime_s: float
    lost: dict[str, int]
    failed: dict[str, int]
    time_factor: float


class Routes(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    """Every node with its way to its coordinator, at the time of asking; in parts if they are many."""

    time_s: float
    routes: tuple[Route, ...]
    is_last: bool = True


Message = Join | Leave | Send | Heard | Refused | Watch | Transmitted | Figures | Routes | Closed
_DECODER: Final[msgspec.msgpack.Decoder[Message]] = msgspec.msgpack.Decoder(Message)


class NeighbourhoodWire(MessageEngine[Message]):
    """What is said on a line to the neighbourhood hub."""

    def __init__(self) -> None:
        super().__init__(_DECODER, "the neighbourhood hub")
