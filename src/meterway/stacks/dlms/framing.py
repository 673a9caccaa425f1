"""What carries whole APDUs over a line: the shape that HDLC, the wrapper and gateways share.

The client and server engines sit on any object of this shape and never see frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from meterway.base.errors import MeterwayError

__all__ = [
    "ApduReceived",
    "Connected",
    "Disconnected",
    "Framing",
    "FramingAround",
    "FramingEvent",
    "Noticed",
    "PairedFraming",
    "Role",
]


class Role(Enum):
    """Which side of an association an engine is: the one that asks or the one that answers."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The data link is open: APDUs may be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApduReceived:
    """A whole APDU came in; ``client`` and ``server`` are the wrapper ports or HDLC upper addresses."""

    apdu: bytes
    client: int
    server: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected:
    """The data link is closed; ``error`` says why when it was not asked for."""

    error: MeterwayError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Something that is wrong or odd but was survived: a bad frame check, a repeated frame, noise.

    ``kind`` is a short stable word to count by (``fcs``, ``hcs``, ``retransmission``, ``noise``, ...).
    """

    kind: str
    message: str
    octets: bytes = b""


FramingEvent = Connected | ApduReceived | Disconnected | Noticed


class Framing(Protocol):
    """An engine that carries APDUs; both sides of a link have one."""

    def connect(self, now: float) -> None:
        """Open the data link (client side); ``Connected`` follows. A wrapper is open at once."""

    def disconnect(self, now: float) -> None:
        """Close the data link in order; ``Disconnected`` follows."""

    def send(self, apdu: bytes, now: float) -> None:
        """Send one whole APDU, segmented as the link needs."""

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""

    def next_event(self) -> FramingEvent | None:
        """The next thing that happened, or None."""

    def data_to_send(self) -> bytes:
        """All octets that are to go out now; each is returned once."""

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""

    def handle_timeout(self, now: float) -> None:
        """Tell the engine that the time has come."""


@runtime_checkable
class PairedFraming(Framing, Protocol):
    """A framing on which many pairs of addresses share the link, so that an answer names its own."""

    def reply(self, apdu: bytes, *, client: int, server: int) -> None:
        """Send one APDU between ``client`` and ``server``, away from this side."""


class FramingAround:
    """The base of a ``Framing`` around another: what it does not do itself, the inner one does."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Framing) -> None:
        self._inner = inner

    def connect(self, now: float) -> None:
        """Open the link below."""
        self._inner.connect(now)

    def disconnect(self, now: float) -> None:
        """Close the link below."""
        self._inner.disconnect(now)

    def send(self, apdu: bytes, now: float) -> None:
        """Send one whole APDU."""
        self._inner.send(apdu, now)

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""
        self._inner.receive_data(data, now)

    def next_event(self) -> FramingEvent | None:
        """The next thing that happened, or None."""
        return self._inner.next_event()

    def data_to_send(self) -> bytes:
        """All octets that are to go out now; each is returned once."""
        return self._inner.data_to_send()

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return self._inner.next_timeout()

    def handle_timeout(self, now: float) -> None:
        """Tell the link below that the time has come."""
        self._inner.handle_timeout(now)
