"""The LLC of IEC 61334-4-32 as DLMS/COSEM uses it: DL-Data between two service access points.

A frame is control (always 0x90 here), destination LSAP, source LSAP, then the APDU. A client's LSAP is its client
address, a server's that of its logical device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.errors import LocalProtocolError
from meterway.base.octets import Reader

__all__ = ["CONTROL", "HEADER_SIZE", "MAX_LSAP", "Lpdu"]

CONTROL: Final = 0x90
"""The control octet of DL-Data frames."""
HEADER_SIZE: Final = 3
MAX_LSAP: Final = 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Lpdu:
    """One LLC frame; both LSAPs are 0 to 255."""

    destination: int
    source: int
    apdu: bytes

    @classmethod
    def decode(cls, reader: Reader) -> Lpdu:
        """Read a frame to the end of the reader; DecodeError kinds: ``truncated``, ``llc``."""
        control = reader.u8("LLC control")
        if control != CONTROL:
            raise reader.fail(f"LLC control {control:02X} instead of 90", "llc", back=1)
        destination, source = reader.u8("destination LSAP"), reader.u8("source LSAP")
        return cls(destination=destination, source=source, apdu=reader.rest())

    def encode(self) -> bytes:
        """The octets; LocalProtocolError for an LSAP that does not fit one octet."""
        for lsap in (self.destination, self.source):
            if not 0 <= lsap <= MAX_LSAP:
                raise LocalProtocolError(f"LSAP {lsap} does not fit one octet")
        return bytes((CONTROL, self.destination, self.source)) + self.apdu
