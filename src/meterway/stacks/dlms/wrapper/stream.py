"""The wrapper on a stream: an engine that cuts received octets into APDUs (IEC 62056-4-7)."""

from __future__ import annotations

from meterway.base.engine import QueuingEngine
from meterway.base.errors import LinkError, MeterwayError, RemoteProtocolError
from meterway.stacks.dlms.framing import ApduReceived, Connected, Disconnected, FramingEvent, Noticed, Role
from meterway.stacks.dlms.wrapper.frame import HEADER, HEADER_SIZE, MAX_LENGTH, VERSION, encode_frame

__all__ = ["WrapperFraming"]


class WrapperFraming(QueuingEngine[FramingEvent]):
    """A ``Framing`` over a reliable stream; it is open at once and has no timers.

    The server side takes every pair of ports that comes in; ``send`` answers the last pair, ``reply`` any.
    The client side drops frames of other pairs with ``Noticed("address")`` unless ``any_pair`` is set (a
    listener for pushes). ``max_apdu`` bounds what is buffered. A wrong version or an absurd length cannot be
    survived on a stream: ``Disconnected`` with a RemoteProtocolError.
    """

    __slots__ = ("_any", "_buffer", "_client", "_closed", "_max", "_role", "_server")

    def __init__(
        self, client: int, server: int, *, role: Role, max_apdu: int = MAX_LENGTH, any_pair: bool = False
    ) -> None:
        super().__init__()
        self._client = client
        self._server = server
        self._role = role
        self._any = any_pair or role is Role.SERVER
        self._max = max_apdu
        self._buffer = bytearray()
        self._closed = False

    def connect(self, now: float) -> None:
        """Open (again); ``Connected`` follows at once."""
        self._closed = False
        self._buffer.clear()
        self._events.append(Connected())

    def disconnect(self, now: float) -> None:
        """Close; ``Disconnected`` follows. The wrapper has no farewell of its own."""
        self._close(None)

    def send(self, apdu: bytes, now: float) -> None:
        """Send to the configured pair, or on the server side to the pair that was heard last."""
        self.reply(apdu, client=self._client, server=self._server)

    def reply(self, apdu: bytes, *, client: int, server: int) -> None:
        """Send one APDU between ``client`` and ``server``, away from this side; closed: ``Noticed("closed")`` only."""
        if self._closed:
            text = "an APDU was to be sent on a closed stream"
            self._events.append(Noticed(kind="closed", message=text, octets=apdu))
        elif self._role is Role.CLIENT:
            self._out.append(encode_frame(client, server, apdu))
        else:
            self._out.append(encode_frame(server, client, apdu))

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets; empty data says that the stream was closed."""
        if self._closed:
            return
        if not data:
            self._line_closed()
        elif self._buffer:
            self._buffer += data
            del self._buffer[: self._cut(bytes(self._buffer) if self._ready() else b"")]
        else:
            used = self._cut(data)
            if used < len(data):
                self._buffer += data[used:]

    def next_timeout(self) -> float | None:
        """None: the stream below does the waiting."""
        return None

    def handle_timeout(self, now: float) -> None:
        """Nothing waits here."""

    def _ready(self) -> bool:
        """Whether the buffer holds a whole frame, or a header that must be refused."""
        buffer = self._buffer
        if len(buffer) < HEADER_SIZE:
            return False
        header: tuple[int, int, int, int] = HEADER.unpack_from(buffer)
        version, _, _, length = header
        return version != VERSION or length > self._max or len(buffer) >= HEADER_SIZE + length

    def _cut(self, data: bytes) -> int:
        """Turn whole frames at the start of ``data`` into events; returns how many octets are done with."""
        start, end = 0, len(data)
        while end - start >= HEADER_SIZE:
            version, source, destination, length = HEADER.unpack_from(data, start)
            if version != VERSION or length > self._max:
                self._refuse(version, length)
                return end
            body = start + HEADER_SIZE
            stop = body + length
            if stop > end:
                break
            self._received(source, destination, data[body:stop])
            start = stop
        return start

    def _received(self, source: int, destination: int, apdu: bytes) -> None:
        client, server = (source, destination) if self._role is Role.SERVER else (destination, source)
        if client != self._client or server != self._server:
            if not self._any:
                text = f"a frame from port {source} to {destination} is for another pair"
                self._events.append(Noticed(kind="address", message=text, octets=apdu))
                return
            self._client, self._server = client, server
        if apdu:
            self._events.append(ApduReceived(apdu=apdu, client=client, server=server))
        else:
            self._events.append(Noticed(kind="empty", message="a wrapper frame without an APDU"))

    def _refuse(self, version: int, length: int) -> None:
        if version != VERSION:
            text = f"wrapper version {version} instead of 1: not a wrapper stream, or out of step"
        else:
            text = f"a wrapper frame announces {length} octets, more than the {self._max} allowed"
        self._close(RemoteProtocolError(text))

    def _line_closed(self) -> None:
        if self._buffer:
            self._close(LinkError(f"the line was closed inside a wrapper frame, {len(self._buffer)} octets into it"))
        elif self._role is Role.CLIENT:
            self._close(LinkError("the line was closed by the other side"))
        else:
            self._close(None)

    def _close(self, error: MeterwayError | None) -> None:
        if not self._closed:
            self._closed = True
            self._buffer.clear()
            self._events.append(Disconnected(error=error))
