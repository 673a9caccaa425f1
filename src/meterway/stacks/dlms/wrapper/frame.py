"""One wrapper frame: version, source port, destination port, length, APDU (IEC 62056-4-7)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final, Self

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader

__all__ = ["HEADER", "HEADER_SIZE", "MAX_LENGTH", "VERSION", "WrapperFrame", "decode_datagram"]

HEADER: Final = Struct(">HHHH")
HEADER_SIZE: Final = HEADER.size
MAX_LENGTH: Final = 0xFFFF
VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapperFrame:
    """One APDU with the wrapper ports of its sender and its receiver, each 0 to 65535."""

    source: int
    destination: int
    apdu: bytes

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read one frame; DecodeError kinds: ``truncated``, ``version``."""
        version = reader.u16("wrapper version")
        if version != VERSION:
            raise reader.fail(f"wrapper version {version} instead of 1", "version", back=2)
        source = reader.u16("wrapper source port")
        destination = reader.u16("wrapper destination port")
        length = reader.u16("wrapper length")
        return cls(source=source, destination=destination, apdu=reader.take(length, "wrapper APDU"))

    def encode(self) -> bytes:
        """The octets of the frame; LocalProtocolError if the APDU is longer than the length field can say."""
        return encode_frame(self.source, self.destination, self.apdu)


def encode_frame(source: int, destination: int, apdu: bytes) -> bytes:
    """The octets of a frame without making a frame object first (the hot path of the engine)."""
    if len(apdu) > MAX_LENGTH:
        raise LocalProtocolError(f"an APDU of {len(apdu)} octets does not fit a wrapper frame of at most {MAX_LENGTH}")
    return HEADER.pack(VERSION, source, destination, len(apdu)) + apdu


def decode_datagram(octets: bytes) -> WrapperFrame:
    """The one frame of a UDP datagram; DecodeError kinds: ``truncated``, ``version``, ``trailing``."""
    if len(octets) < HEADER_SIZE:
        raise DecodeError(f"a wrapper header has {HEADER_SIZE} octets, not {len(octets)}", len(octets), "truncated")
    reader = Reader(octets)
    frame = WrapperFrame.decode(reader)
    reader.finish("wrapper datagram")
    return frame
