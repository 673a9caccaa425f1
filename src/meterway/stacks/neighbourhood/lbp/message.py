"""An LBP message: kind, the joining device's EUI-64, bootstrapping data (EAP or configuration parameters)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader

__all__ = ["Lbp", "LbpKind", "eap_of", "eap_to_lbp"]


class LbpKind(IntEnum):
    """Direction bit (8: to the device) and code, four bits together."""

    JOINING = 0x1
    KICK_BY_DEVICE = 0x4
    ACCEPTED = 0x9
    CHALLENGE = 0xA
    DECLINE = 0xB
    KICK = 0xC

    @property
    def is_to_device(self) -> bool:
        """Whether the server sends it."""
        return self >= LbpKind.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Lbp:
    """One message; the twelve bits between kind and EUI (transaction id, medium) are sent as zero and not looked at."""

    kind: LbpKind
    eui: bytes
    data: bytes = b""

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read a whole message; DecodeError kinds: ``truncated``, ``code``."""
        reader = Reader(octets)
        kind = reader.u16("LBP header") >> 12
        if kind not in LbpKind._value2member_map_:
            raise DecodeError(f"LBP code {kind:#x} is not known", 0, "code")
        return cls(kind=LbpKind(kind), eui=reader.take(8, "EUI-64 of the device"), data=reader.rest())

    def encode(self) -> bytes:
        """Its octets."""
        return bytes([self.kind << 4, 0]) + self.eui + self.data


def eap_to_lbp(packet: bytes) -> bytes:
    """An EAP packet as bootstrapping data: its code stands two bits higher, so that it is no parameter."""
    return bytes([packet[0] << 2]) + packet[1:]


def eap_of(data: bytes) -> bytes:
    """The EAP packet in bootstrapping data; DecodeError(``code``, ``truncated``) if there is none."""
    if not data:
        raise DecodeError("bootstrapping data is missing", 10, "truncated")
    if data[0] & 3:
        raise DecodeError("bootstrapping data is no EAP packet", 10, "code")
    return bytes([data[0] >> 2]) + data[1:]
