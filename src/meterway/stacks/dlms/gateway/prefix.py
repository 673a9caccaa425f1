"""The prefix itself: tag, network id, length and octets of the physical device address, then the APDU.

0xE6 goes to the device, 0xE7 comes from it (an answer, or a notification of its own). The pair of addresses of the
layer below (wrapper ports, HDLC upper addresses) stays that of the association with the device behind the gateway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.errors import LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.dlms.xdlms.error import ExceptionResponse

__all__ = ["MAX_ADDRESS", "REFUSAL", "REQUEST", "RESPONSE", "GatewayAddress", "split"]

REQUEST: Final = 0xE6
RESPONSE: Final = 0xE7
MAX_ADDRESS: Final = 127
"""The longest physical device address: its length is one octet, and from 128 on readings of that octet differ."""


REFUSAL: Final = ExceptionResponse(state_error=1, service_error=3).encode()
"""What a gateway says in place of a device that it cannot reach: service-not-allowed, other-reason."""


@dataclass(frozen=True, slots=True)
class GatewayAddress:
    """A device behind a gateway: the gateway's network (0 to 255) and the device's address on it (1 to 127 octets)."""

    address: bytes
    network_id: int = 0

    def __post_init__(self) -> None:
        if not 0 < len(self.address) <= MAX_ADDRESS:
            text = f"a physical device address has 1 to {MAX_ADDRESS} octets, not {len(self.address)}"
            raise LocalProtocolError(text)
        if not 0 <= self.network_id <= 0xFF:
            raise LocalProtocolError(f"a network id is 0 to 255, not {self.network_id}")

    def prefix(self, tag: int) -> bytes:
        """What goes before the APDU."""
        return bytes((tag, self.network_id, len(self.address))) + self.address

    def __str__(self) -> str:
        return f"{self.network_id}/{self.address.hex()}"


def split(apdu: bytes) -> tuple[GatewayAddress, bytes]:
    """The address and the APDU after the prefix; DecodeError for an address of no length or more than 127, or no APDU.

    The tag is the caller's to check.
    """
    reader = Reader(apdu, 1)
    network = reader.u8("network id")
    length = reader.u8("length of the physical device address")
    if not 0 < length <= MAX_ADDRESS:
        raise reader.fail(f"a physical device address has 1 to {MAX_ADDRESS} octets, not {length}", "address", back=1)
    address = reader.take(length, "physical device address")
    if not reader.remaining:
        raise reader.fail("a gateway prefix without an APDU", "truncated")
    return GatewayAddress(address, network), reader.rest()
