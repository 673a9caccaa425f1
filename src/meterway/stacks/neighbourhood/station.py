"""The one shape of a station on a neighbourhood network, whatever its profile: frames in and out, members, APDUs.

A station is an engine (no I/O, time comes in). The one in the concentrator is the coordinator (PRIME's base node, G3's
coordinator, the initiator of S-FSK); all others are nodes that join it. ``node`` is the number by which the medium
below knows a station; ``eui`` (eight octets) is what a device has from its maker and keeps wherever it joins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from meterway.stacks.dlms.framing import Noticed

__all__ = [
    "EVERYONE",
    "Admit",
    "Apdu",
    "Coordinator",
    "JoinRefused",
    "Joined",
    "Left",
    "Member",
    "NodeStation",
    "Outgoing",
    "Station",
    "StationEvent",
    "Undelivered",
]

EVERYONE: Final = 0xFFFF
"""The medium's node number for a broadcast."""
Admit = Callable[[bytes], bytes | None]
"""Gives the key of a device by its EUI: empty if the profile needs none, None for one that may not join."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A frame for the medium; ``to`` is a node's number or ``EVERYONE``."""

    octets: bytes
    to: int
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A device that has joined; ``address`` is what the profile gave it."""

    eui: bytes
    node: int
    address: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A device joined, or joined again (coordinator), or this station did (node; then ``member`` is itself)."""

    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A device left, was expelled or is not heard any more; at a node: it is out and begins to join again."""

    member: Member
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRefused:
    """A device that may not join, or one whose key is wrong."""

    eui: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Apdu:
    """A whole APDU came; ``client`` and ``server`` are the application's addresses (wrapper ports, LLC SAPs)."""

    eui: bytes
    apdu: bytes
    client: int
    server: int
    is_broadcast: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """An APDU that the profile gave up on after its own repetitions."""

    eui: bytes
    apdu: bytes
    reason: str


StationEvent = Joined | Left | JoinRefused | Apdu | Undelivered | Noticed


class Station(Protocol):
    """What every profile's station can do."""

    @property
    def eui(self) -> bytes:
        """Its own EUI."""

    def start(self, now: float) -> None:
        """Open the network (coordinator), or begin to look for one (node)."""

    def receive_frame(self, octets: bytes, source: int, now: float, *, is_broadcast: bool = False) -> None:
        """Take a frame from the medium; what is wrong with it is told as ``Noticed``, never raised."""

    def frames_to_send(self) -> list[Outgoing]:
        """What is to go out now; each is returned once."""

    def next_event(self) -> StationEvent | None:
        """The next thing that happened, or None."""

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""

    def handle_timeout(self, now: float) -> None:
        """Tell the station that the time has come."""

    def send_apdu(
        self, eui: bytes | None, apdu: bytes, *, client: int, server: int, now: float, urgent: bool = False
    ) -> None:
        """Send one APDU to a member (a node: to the coordinator, by its EUI), or to everyone if ``eui`` is None.

        LocalProtocolError for a device that is no member, or an APDU longer than ``max_apdu``.
        """

    @property
    def max_apdu(self) -> int:
        """The longest APDU it carries."""


class NodeStation(Station, Protocol):
    """A device's station that can name its coordinator; the user of one that cannot learns it from what it hears."""

    @property
    def coordinator(self) -> bytes:
        """The coordinator's EUI; empty while it is no member."""


class Coordinator(Station, Protocol):
    """The station in the concentrator."""

    @property
    def members(self) -> dict[bytes, Member]:
        """Who has joined, by EUI."""

    def expel(self, eui: bytes, now: float) -> None:
        """Put a device out; ``Left`` follows."""
