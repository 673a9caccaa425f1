"""The client's side: a framing to one device behind a gateway, on the framing to the gateway."""

from __future__ import annotations

from meterway.base.errors import DecodeError, LinkError
from meterway.stacks.dlms.framing import ApduReceived, Disconnected, Framing, FramingAround, FramingEvent, Noticed
from meterway.stacks.dlms.gateway.prefix import REFUSAL, REQUEST, RESPONSE, GatewayAddress, split

__all__ = ["GatewayFraming"]

_EXCEPTION = 0xD8


class GatewayFraming(FramingAround):
    """A ``Framing`` around another: prefixes what is sent to ``device``, strips and matches what comes from it.

    For a device behind two gateways, put one around another: the one next to the line is for the first gateway.
    APDUs of other devices and of the gateway itself are ``Noticed`` (``address``, ``gateway``). An exception-response
    of the gateway without a prefix says that it cannot carry, and with it (as ``GatewaySplitter.refuse`` has it) that
    it does not reach this device: ``Disconnected`` with a LinkError.
    """

    __slots__ = ("_device", "_prefix")

    def __init__(self, inner: Framing, device: GatewayAddress) -> None:
        super().__init__(inner)
        self._device = device
        self._prefix = device.prefix(REQUEST)

    def send(self, apdu: bytes, now: float) -> None:
        """Send one APDU to the device; LocalProtocolError if the link does not take one so long with its prefix."""
        self._inner.send(self._prefix + apdu, now)

    def next_event(self) -> FramingEvent | None:
        """The next thing that happened, or None."""
        event = self._inner.next_event()
        return self._stripped(event) if isinstance(event, ApduReceived) else event

    def _stripped(self, event: ApduReceived) -> FramingEvent:
        apdu = event.apdu
        if apdu[0] == _EXCEPTION:
            return Disconnected(error=LinkError(f"the gateway does not carry to {self._device}"))
        if apdu[0] != RESPONSE:
            return Noticed(kind="gateway", message="an APDU of the gateway itself", octets=apdu)
        try:
            device, inner = split(apdu)
        except DecodeError as error:
            return Noticed(kind="gateway", message=str(error), octets=apdu)
        if device != self._device:
            return Noticed(kind="address", message=f"an APDU of the device {device}", octets=apdu)
        if inner == REFUSAL:
            text = f"the gateway does not reach {self._device}: it is not on its network, or does not answer"
            return Disconnected(error=LinkError(text))
        return ApduReceived(apdu=inner, client=event.client, server=event.server)
