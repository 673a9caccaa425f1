"""How a hub of a simulated medium and its clients talk: messages in MessagePack, each behind its length in four octets.

The same engine is on both sides; it does not know which it is on, nor what the messages mean.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

import msgspec

from meterway.base.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["Closed", "MessageEngine"]

_LONGEST: Final = 1 << 20
_WAITING: Final = 8 << 20
_ENCODER: Final = msgspec.msgpack.Encoder()


class Closed(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """The line was closed, or ended with ``reason`` because the other side broke the rules. Never sent."""

    reason: str = ""


MessageT = TypeVar("MessageT")


class MessageEngine(Generic[MessageT]):
    """Octets of the line to messages (``decoder`` knows which) and back; ``tell`` says something.

    After octets that are no message the only event is ``Closed`` with the reason, which names ``peer``. What is not
    read on the other side is thrown away beyond 8 MiB, counted in ``dropped``.
    """

    def __init__(self, decoder: msgspec.msgpack.Decoder[MessageT], peer: str) -> None:
        self.dropped = 0
        self._decoder = decoder
        self._peer = peer
        self._in = bytearray()
        self._out = bytearray()
        self._events: deque[MessageT | Closed] = deque()
        self._closed = False

    def tell(self, message: MessageT) -> None:
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

    def next_event(self) -> MessageT | Closed | None:
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
            self._events.append(self._message(data[place + 4 : place + 4 + size]))
            place += 4 + size
        del data[:place]

    def _message(self, octets: bytearray) -> MessageT:
        try:
            message = self._decoder.decode(octets)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise RemoteProtocolError(f"not a message of {self._peer}: {error}") from error
        if isinstance(message, Closed):
            raise RemoteProtocolError("a line is closed by closing it")
        return message
