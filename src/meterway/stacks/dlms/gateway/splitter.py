"""The gateway's side: tells what is for the devices behind it from what is for itself."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from meterway.base.errors import DecodeError
from meterway.stacks.dlms.framing import ApduReceived, Framing, FramingAround, FramingEvent, Noticed, PairedFraming
from meterway.stacks.dlms.gateway.prefix import REFUSAL, REQUEST, RESPONSE, GatewayAddress, split

__all__ = ["GatewayRequest", "GatewaySplitter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRequest:
    """An APDU for a device behind the gateway; it may begin with a prefix of its own (a gateway behind this one)."""

    device: GatewayAddress
    apdu: bytes
    client: int
    server: int


class GatewaySplitter(FramingAround):
    """A ``PairedFraming`` (server role) around another, to put under a ``DlmsServer``.

    What has no prefix goes to the server above. What has one waits in ``next_request``: carry it to the device, then
    ``answer`` or ``refuse`` it, in any order. ``notify`` carries what a device says by itself. On a framing that does
    not name pairs (HDLC, a station) an answer goes to the pair that was heard last.
    """

    __slots__ = ("_paired", "_requests")

    def __init__(self, inner: Framing) -> None:
        super().__init__(inner)
        self._paired = inner if isinstance(inner, PairedFraming) else None
        self._requests: deque[GatewayRequest] = deque()

    def next_request(self) -> GatewayRequest | None:
        """The next APDU to be carried on, or None; ask after each ``receive_data`` of the server above."""
        return self._requests.popleft() if self._requests else None

    def answer(self, request: GatewayRequest, apdu: bytes, now: float) -> None:
        """Send what the device answered; LocalProtocolError if it is too long with its prefix."""
        self.notify(request.device, apdu, client=request.client, server=request.server, now=now)

    def refuse(self, request: GatewayRequest, now: float) -> None:
        """Say at once that the device cannot be reached: an exception-response in its place, service-not-allowed."""
        self.answer(request, REFUSAL, now)

    def notify(self, device: GatewayAddress, apdu: bytes, *, client: int, server: int, now: float) -> None:
        """Send an APDU of a device behind the gateway with its prefix."""
        self._send(device.prefix(RESPONSE) + apdu, client, server, now)

    # -- the framing of the server above -----------------------------------------------------------------------------

    def reply(self, apdu: bytes, *, client: int, server: int) -> None:
        """Send an APDU of the gateway itself between ``client`` and ``server``."""
        self._send(apdu, client, server, 0.0)

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""
        if not data:
            self._requests.clear()
        self._inner.receive_data(data, now)

    def next_event(self) -> FramingEvent | None:
        """The next thing that happened to the gateway itself, or None."""
        while (event := self._inner.next_event()) is not None:
            if not isinstance(event, ApduReceived) or event.apdu[0] != REQUEST:
                return event
            try:
                device, apdu = split(event.apdu)
            except DecodeError as error:
                return Noticed(kind="gateway", message=str(error), octets=event.apdu)
            self._requests.append(GatewayRequest(device=device, apdu=apdu, client=event.client, server=event.server))
        return None

    def _send(self, apdu: bytes, client: int, server: int, now: float) -> None:
        if self._paired is not None:
            self._paired.reply(apdu, client=client, server=server)
        else:
            self._inner.send(apdu, now)
