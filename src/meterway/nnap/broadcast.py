"""What the concentrator says to all meters at once: requests under the broadcast key, and orders it only passes on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.security.context import AUTHENTICATED, BROADCAST, ENCRYPTED, Keys, SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.xdlms.action import ActionRequestNormal
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphered
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.dlms.xdlms.set import SetRequestNormal
from meterway.stacks.neighbourhood.station import Coordinator

__all__ = ["CLIENT", "Broadcaster", "time_request"]

CLIENT: Final = 102
"""The client of the pre-established association in the companion profiles that have one (IDIS, as far as known)."""
_UNCONFIRMED: Final = 0x81
_CLOCK: Final = AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2)
_AGAIN_S: Final = 20.0
_KEPT: Final = 64
_COUNTER_AT: Final = 1
_DAY_S: Final = 86400.0


class Broadcaster:
    """Protects requests for everyone: general-glo-ciphering under the broadcast key that the meters share."""

    def __init__(
        self, *, title: bytes, keys: Keys, counter: SendCounter, client: int = CLIENT, server: int = 1
    ) -> None:
        self.client = client
        self.server = server
        self._security = SecurityContext(
            keys=keys,
            own_title=title,
            peer_title=b"",
            send_counter=counter,
            received=ReceivedCounter(),
            control=AUTHENTICATED | ENCRYPTED | BROADCAST,
        )

    def follow(self, order: bytes, now: float) -> None:
        """Count on above an order of somebody else who has the key: it has one counter for all who send.

        Orders count from the time in Unix seconds; a counter far ahead of that is not followed.
        """
        try:
            envelope = decode_apdu(order)
        except DecodeError:
            return
        if isinstance(envelope, GeneralCiphered) and len(envelope.protected) > _COUNTER_AT + 4:
            counter = int.from_bytes(envelope.protected[_COUNTER_AT : _COUNTER_AT + 4], "big")
            if counter <= now + _DAY_S:
                self._security.send_counter.raise_to(counter + 1)

    def set(self, attribute: AttributeDescriptor, value: bytes) -> bytes:
        """A SET that nobody answers."""
        request = SetRequestNormal(invoke=_UNCONFIRMED, attribute=attribute, selection=None, value=value)
        return self._security.protect_general(request.encode())

    def act(self, method: MethodDescriptor, parameters: bytes) -> bytes:
        """An ACTION that nobody answers."""
        request = ActionRequestNormal(invoke=_UNCONFIRMED, method=method, parameters=parameters)
        return self._security.protect_general(request.encode())

    def send(self, station: Coordinator, apdu: bytes, now: float) -> None:
        """Send a protected request to everyone; LocalProtocolError if it is longer than the network takes."""
        station.send_apdu(None, apdu, client=self.client, server=self.server, now=now)


def time_request(broadcaster: Broadcaster, now: float, delay_s: float) -> bytes:
    """Sets all clocks to what they should show when the broadcast arrives, to the nearest second."""
    moment = CosemDateTime.from_utc(datetime.fromtimestamp(round(now + delay_s), UTC), 0)
    return broadcaster.set(_CLOCK, axdr.encode(axdr.octets(moment.encode())))
