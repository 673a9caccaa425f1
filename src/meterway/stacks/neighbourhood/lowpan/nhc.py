"""Compressed next headers: the UDP form of LOWPAN_NHC (RFC 6282, section 4.3)."""

from __future__ import annotations

from typing import Final

from meterway.base.errors import LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.lowpan.ip import UDP_HEADER_SIZE

__all__ = ["UdpPorts", "compress_udp", "is_udp", "read_udp"]

UdpPorts = tuple[int, int, int | None]
"""Source port, destination port, checksum (None where it was elided)."""
_UDP_NHC, _UDP_MASK, _ELIDED, _PORTS = 0xF0, 0xF8, 0x04, 0x03
_EIGHT_BITS: Final = 0xF000
_FOUR_BITS: Final = 0xF0B0


def is_udp(octet: int) -> bool:
    """Whether an NHC octet is UDP's."""
    return octet & _UDP_MASK == _UDP_NHC


def compress_udp(datagram: bytes) -> bytes:
    """The compressed form of a UDP header, checksum in line: nobody above authorises to elide it."""
    if len(datagram) < UDP_HEADER_SIZE:
        raise LocalProtocolError("a UDP datagram shorter than its header")
    source, destination = int.from_bytes(datagram[:2], "big"), int.from_bytes(datagram[2:4], "big")
    checksum = datagram[6:8]
    if source & 0xFFF0 == destination & 0xFFF0 == _FOUR_BITS:
        return bytes([_UDP_NHC | 3, (source & 15) << 4 | destination & 15]) + checksum
    if source & 0xFF00 == _EIGHT_BITS:
        return bytes([_UDP_NHC | 2, source & 0xFF]) + datagram[2:4] + checksum
    if destination & 0xFF00 == _EIGHT_BITS:
        return bytes([_UDP_NHC | 1]) + datagram[:2] + bytes([destination & 0xFF]) + checksum
    return bytes([_UDP_NHC]) + datagram[:4] + checksum


def read_udp(reader: Reader) -> UdpPorts:
    """Read a compressed UDP header; DecodeError kinds: ``truncated``, ``nhc``."""
    octet = reader.u8("NHC")
    if not is_udp(octet):
        raise reader.fail(f"next header compression {octet:#04x} is not UDP's", "nhc", back=1)
    ports = octet & _PORTS
    if ports == 3:
        both = reader.u8("UDP ports")
        source, destination = _FOUR_BITS | both >> 4, _FOUR_BITS | both & 15
    else:
        source = _EIGHT_BITS | reader.u8("source port") if ports == 2 else reader.u16("source port")
        destination = _EIGHT_BITS | reader.u8("destination port") if ports == 1 else reader.u16("destination port")
    return source, destination, None if octet & _ELIDED else reader.u16("UDP checksum")
