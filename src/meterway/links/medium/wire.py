"""What a radio hub and its clients say to each other: messages in MessagePack, each behind its length in four octets.

A client puts stations on the air by a number of its own choice and sends for them; the hub says what they hear. The
same engine is on both sides; it does not know which it is on.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from meterway.base.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["Closed", "Figures", "Gone", "Heard", "Join", "Leave", "Message", "Refused", "Send", "Watch", "WireEngine"]

_LONGEST: Final = 1 << 20
_WAITING: Final = 8 << 20


class Join(msgspec.Struct, frozen=True, array_like=True, tag="j"):
    """A station comes on the air under ``number``; place in metres (east, north, up)."""

    number: int
    name: str
    hears: tuple[str, ...]
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    power_dbm: float = 10.0
    loss_db: float = 0.0


class Leave(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """A station goes off the air."""

    number: int


class Send(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """A station sends a frame: ``delay_s`` from ``since_s`` (the time of a reception it answers), or else from now."""

    number: int
    mode: str
    octets: bytes
    delay_s: float = 0.0
    since_s: float | None = None


class Heard(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    """A frame that stations of this client heard, each with its signal in dBm; ``time_s`` is the frame's end.

    ``repeat`` is ``late`` or ``repeated`` where the air was set to do so.
    """

    mode: str
    octets: bytes
    time_s: float
    stations: tuple[tuple[int, float], ...]
    repeat: str = ""


class Refused(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """What a station asked for was not done. ``duty`` says that its share of the band is used up."""

    number: int
    reason: str
    duty: bool = False


class Watch(msgspec.Struct, frozen=True, array_like=True, tag="w"):
    """The client wants to know of every frame on the air (``Gone``), and the figures now."""

    frames: bool = True


class Gone(msgspec.Struct, frozen=True, array_like=True, tag="g"):
    """A frame was on the air: who sent it, how many heard it, and how many lost it for which cause."""

    station: str
    mode: str
    octets: bytes
    start_s: float
    end_s: float
    heard: int
    lost: dict[str, int]
    repeat: str = ""


class Figures(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """Counts of the hub since it began."""

    stations: int
    sent: int
    refused: int
    received: int
    unheard: int
    late: int
    repeated: int
    airtime_s: float
    lost: dict[str, int]


class Closed(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """The line was closed, or ended with ``reason`` because the other side broke the rules. Never sent."""

    reason: str = ""


Message = Join | Leave | Send | Heard | Refused | Watch | Gone | Figures | Closed

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final[msgspec.msgpack.Decoder[Message]] = msgspec.msgpack.Decoder(Message)


class WireEngine:
    """Octets of the line to messages and back; ``tell`` says something.

    After octets that are no message the only event is ``Closed`` with the reason. What a peer does not read is thrown
    away beyond 8 MiB, counted in ``dropped``.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._in = bytearray()
        self._out = bytearray()
        self._events: deque[Message] = deque()
        self._closed = False

    def tell(self, message: Message) -> None:
        """Say something; LocalProtocolError if it is too long."""
        octets = _ENCODER.encode(message)
        if len(octets) > _LONGEST:
            raise LocalProtocolError(f"a message has at most {_LONGEST} octets, not {len(octets)}")
        if len(self._out) > _WAITING:
            self.dropped += 1
            return
        self._out += len(octets).to_bytes(4, "big")
        self._out += octets

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that it was closed."""
        if self._closed:
            return
        if not data:
            self._end("")
            return
        self._in += data
        try:
            self._cut()
        except RemoteProtocolError as error:
            self._end(str(error))

    def next_event(self) -> Message | None:
        """The next thing the other side said, or None."""
        return self._events.popleft() if self._events else None

    def data_to_send(self) -> bytes:
        """All octets that are to go out now; each is returned once."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def next_timeout(self) -> float | None:
        """Nothing is waited for."""
        return None

    def handle_timeout(self, now: float) -> None:
        """Nothing is waited for."""

    def _end(self, reason: str) -> None:
        self._closed = True
        self._in.clear()
        self._events.append(Closed(reason))

    def _cut(self) -> None:
        place, data = 0, self._in
        while len(data) - place >= 4:
            size = int.from_bytes(data[place : place + 4], "big")
            if size > _LONGEST:
                raise RemoteProtocolError(f"a message of {size} octets was announced")
            if len(data) - place - 4 < size:
                break
            self._events.append(_message(data[place + 4 : place + 4 + size]))
            place += 4 + size
        del data[:place]


def _message(octets: bytearray) -> Message:
    try:
        message = _DECODER.decode(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"not a message of the radio hub: {error}") from error
    if isinstance(message, Closed):
        raise RemoteProtocolError("a line is closed by closing it")
    return message
