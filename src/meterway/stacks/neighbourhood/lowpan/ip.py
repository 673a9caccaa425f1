"""IPv6 packets (RFC 8200) and the UDP datagrams in them (RFC 768), with the checksum that IPv6 makes a duty.

Extension headers are carried (``next_header`` and ``payload`` as they are) but not walked through: a UDP datagram
stands right behind the fixed header here.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final, Self

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader

__all__ = [
    "HEADER_SIZE",
    "UDP",
    "UDP_HEADER_SIZE",
    "Datagram",
    "Ipv6Packet",
    "checksum",
    "read_datagram",
    "write_datagram",
]

HEADER_SIZE: Final = 40
UDP: Final = 17
"""The next header value of UDP."""
UDP_HEADER_SIZE: Final = 8
_FIXED: Final = Struct(">IHBB16s16s")
_UDP: Final = Struct(">HHHH")
_VERSION: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ipv6Packet:
    """One packet; addresses are 16 octets, ``traffic_class`` 8 bits (DSCP, ECN), ``flow_label`` 20."""

    source: bytes
    destination: bytes
    next_header: int
    payload: bytes
    hop_limit: int = 64
    traffic_class: int = 0
    flow_label: int = 0

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read a whole packet; DecodeError kinds: ``truncated``, ``version``, ``length``."""
        if len(octets) < HEADER_SIZE:
            raise DecodeError(f"an IPv6 header has 40 octets, not {len(octets)}", len(octets), "truncated")
        first, length, next_header, hops, source, destination = _FIXED.unpack_from(octets)
        if first >> 28 != _VERSION:
            raise DecodeError(f"IP version {first >> 28} instead of 6", 0, "version")
        if length != len(octets) - HEADER_SIZE:
            raise DecodeError(f"{length} octets of payload announced, {len(octets) - HEADER_SIZE} there", 4, "length")
        return cls(
            source=source,
            destination=destination,
            next_header=next_header,
            payload=octets[HEADER_SIZE:],
            hop_limit=hops,
            traffic_class=first >> 20 & 0xFF,
            flow_label=first & 0xFFFFF,
        )

    def encode(self) -> bytes:
        """Its octets; LocalProtocolError if the payload is longer than the length field can say."""
        if len(self.payload) > 0xFFFF:
            raise LocalProtocolError(f"an IPv6 payload of {len(self.payload)} octets")
        first = _VERSION << 28 | self.traffic_class << 20 | self.flow_label
        length = len(self.payload)
        header = _FIXED.pack(first, length, self.next_header, self.hop_limit, self.source, self.destination)
        return header + self.payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Datagram:
    """One UDP datagram with the addresses it goes between."""

    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    payload: bytes


def checksum(source: bytes, destination: bytes, datagram: bytes) -> int:
    """The UDP checksum over pseudo-header and ``datagram``, whose own checksum field counts as it stands.

    Over a datagram with a zero field it gives what to write there (never 0); over a right one it gives 0xFFFF.
    """
    pseudo = source + destination + len(datagram).to_bytes(4, "big") + UDP.to_bytes(4, "big") + datagram
    number = int.from_bytes(pseudo + bytes(len(pseudo) % 2), "big")
    # The ones' complement sum of 16-bit words is the number modulo 65,535.
    return 0xFFFF - number % 0xFFFF or 0xFFFF


def write_datagram(datagram: Datagram, *, hop_limit: int = 64) -> Ipv6Packet:
    """The packet that carries ``datagram``, checksum computed."""
    length = UDP_HEADER_SIZE + len(datagram.payload)
    if length > 0xFFFF:
        raise LocalProtocolError(f"a UDP payload of {len(datagram.payload)} octets")
    ports = (datagram.source_port, datagram.destination_port, length)
    octets = _UDP.pack(*ports, 0) + datagram.payload
    octets = _UDP.pack(*ports, checksum(datagram.source, datagram.destination, octets)) + datagram.payload
    return Ipv6Packet(
        source=datagram.source,
        destination=datagram.destination,
        next_header=UDP,
        payload=octets,
        hop_limit=hop_limit,
    )


def read_datagram(packet: Ipv6Packet) -> Datagram:
    """The datagram in ``packet``; DecodeError kinds: ``next_header``, ``truncated``, ``length``, ``checksum``."""
    if packet.next_header != UDP:
        raise DecodeError(f"next header {packet.next_header} instead of UDP", 6, "next_header")
    reader = Reader(packet.payload, base=HEADER_SIZE)
    source_port, destination_port = reader.u16("source port"), reader.u16("destination port")
    length, check = reader.u16("UDP length"), reader.u16("UDP checksum")
    if length != len(packet.payload):
        raise reader.fail(f"UDP length {length}, but {len(packet.payload)} octets are there", "length", back=4)
    if not check or checksum(packet.source, packet.destination, packet.payload) != 0xFFFF:
        raise reader.fail("the UDP checksum is wrong", "checksum", back=2)
    return Datagram(
        source=packet.source,
        destination=packet.destination,
        source_port=source_port,
        destination_port=destination_port,
        payload=reader.rest(),
    )
