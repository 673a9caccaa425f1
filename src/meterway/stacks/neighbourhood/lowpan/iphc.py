"""The compressed IPv6 header, LOWPAN_IPHC, and what stands behind it (RFC 6282).

Written is the shortest form for each field. Read are all forms of the RFC, with contexts; of next headers UDP's
compression is read, the compressed extension headers are not (DecodeError ``nhc``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.ieee802154.frame import Address
from meterway.stacks.neighbourhood.lowpan.address import LINK_LOCAL, LinkLocal
from meterway.stacks.neighbourhood.lowpan.ip import HEADER_SIZE, UDP, UDP_HEADER_SIZE, Ipv6Packet, checksum
from meterway.stacks.neighbourhood.lowpan.nhc import compress_udp, read_udp

__all__ = ["Compressor", "is_iphc"]

_DISPATCH, _MASK = 0x60, 0xE0
_NH, _CID, _SAC, _M, _DAC = 0x04, 0x80, 0x40, 0x08, 0x04
_HOP_LIMITS: Final = {1: 1, 64: 2, 255: 3}
_HOP_VALUES: Final = {code: value for value, code in _HOP_LIMITS.items()}
_UNSPECIFIED: Final = bytes(16)


def is_iphc(dispatch: int) -> bool:
    """Whether a dispatch octet begins a compressed IPv6 header."""
    return dispatch & _MASK == _DISPATCH


@dataclass(frozen=True, slots=True)
class Compressor:
    """How one network compresses: its IIDs, and the prefixes (eight octets, /64) it has agreed on by number 0 to 15.

    ``allow_elided`` says whether a UDP checksum may be missing: only where the layers below prove integrity.
    """

    links: LinkLocal = field(default_factory=LinkLocal)
    contexts: Mapping[int, bytes] = field(default_factory=dict)
    allow_elided: bool = False

    def compress(self, packet: Ipv6Packet, source: Address, destination: Address) -> tuple[bytes, int]:
        """The octets from the dispatch on, and how many octets of the packet their compressed headers stand for."""
        with_udp = packet.next_header == UDP and _has_plain_udp(packet.payload)
        traffic, traffic_octets = _traffic(packet.traffic_class, packet.flow_label)
        hops = _HOP_LIMITS.get(packet.hop_limit, 0)
        sac, sam, source_octets = self._unicast(packet.source, source, is_source=True)
        if packet.destination[0] == 0xFF:
            dac, dam, destination_octets = _multicast(packet.destination)
        else:
            dac, dam, destination_octets = self._unicast(packet.destination, destination, is_source=False)
        contexts = ((sac or 0) << 4 | (dac or 0)) if sac or dac else None
        first = _DISPATCH | traffic << 3 | (with_udp and _NH) | hops
        second = (contexts is not None and _CID) | (sac is not None and _SAC) | sam << 4
        second |= (packet.destination[0] == 0xFF and _M) | (dac is not None and _DAC) | dam
        parts = [bytes([first, second]), b"" if contexts is None else bytes([contexts]), traffic_octets]
        parts.append(b"" if with_udp else bytes([packet.next_header]))
        parts.append(b"" if hops else bytes([packet.hop_limit]))
        parts += [source_octets, destination_octets]
        if with_udp:
            parts += [compress_udp(packet.payload), packet.payload[UDP_HEADER_SIZE:]]
            return b"".join(parts), HEADER_SIZE + UDP_HEADER_SIZE
        return b"".join([*parts, packet.payload]), HEADER_SIZE

    def decompress(self, octets: bytes, source: Address, destination: Address, size: int | None = None) -> bytes:
        """The octets of the packet, or of its beginning if ``size`` says how long the whole is (a first fragment).

        DecodeError kinds: ``truncated``, ``dispatch``, ``address``, ``context``, ``nhc``, ``checksum``, ``length``.
        """
        reader = Reader(octets)
        first, second = reader.u8("IPHC"), reader.u8("IPHC")
        if not is_iphc(first):
            raise DecodeError(f"dispatch {first:#04x} is no compressed IPv6 header", 0, "dispatch")
        contexts = reader.u8("context identifiers") if second & _CID else 0
        traffic, flow = _read_traffic(reader, first >> 3 & 3)
        next_header = UDP if first & _NH else reader.u8("next header")
        hops = _HOP_VALUES[first & 3] if first & 3 else reader.u8("hop limit")
        sac = contexts >> 4 if second & _SAC else None
        dac = contexts & 15 if second & _DAC else None
        from_address = self._read_unicast(reader, sac, second >> 4 & 3, source, is_source=True)
        if second & _M:
            to_address = self._read_multicast(reader, dac, second & 3)
        else:
            to_address = self._read_unicast(reader, dac, second & 3, destination, is_source=False)
        udp = read_udp(reader) if first & _NH else None
        body = reader.rest()
        header = UDP_HEADER_SIZE if udp else 0
        length = (HEADER_SIZE + header + len(body) if size is None else size) - HEADER_SIZE
        if not header + len(body) <= length <= 0xFFFF:
            raise DecodeError(f"{header + len(body)} octets in a packet with room for {length}", 0, "length")
        if udp:
            body = self._udp(udp, length, from_address, to_address, body, is_whole=len(body) + header == length)
        packet = Ipv6Packet(
            source=from_address,
            destination=to_address,
            next_header=next_header,
            payload=body,
            hop_limit=hops,
            traffic_class=traffic,
            flow_label=flow,
        ).encode()
        return packet[:4] + length.to_bytes(2, "big") + packet[6:]

    def _udp(
        self,
        udp: tuple[int, int, int | None],
        length: int,
        source: bytes,
        destination: bytes,
        body: bytes,
        *,
        is_whole: bool,
    ) -> bytes:
        from_port, to_port, check = udp
        ports = from_port.to_bytes(2, "big") + to_port.to_bytes(2, "big") + length.to_bytes(2, "big")
        if check is None:
            if not self.allow_elided or not is_whole:
                raise DecodeError("a UDP checksum was elided where nothing below proves integrity", 0, "checksum")
            check = checksum(source, destination, ports + bytes(2) + body)
        return ports + check.to_bytes(2, "big") + body

    def _unicast(self, address: bytes, link: Address, *, is_source: bool) -> tuple[int | None, int, bytes]:
        """Context number (None: stateless), mode, octets in line."""
        if is_source and address == _UNSPECIFIED:
            return 0, 0, b""
        prefix, iid = address[:8], address[8:]
        context = None
        if prefix != LINK_LOCAL:
            context = next((number for number, known in self.contexts.items() if known == prefix), None)
            if context is None:
                return None, 0, address
        if iid == self.links.iid(link):
            return context, 3, b""
        if iid[:6] == self.links.middle():
            return context, 2, iid[6:]
        return context, 1, iid

    def _read_unicast(self, reader: Reader, context: int | None, mode: int, link: Address, *, is_source: bool) -> bytes:
        if mode == 0:
            if context is None:
                return reader.take(16, "address")
            if is_source:
                return _UNSPECIFIED
            raise reader.fail("the destination address mode is reserved", "address")
        prefix = LINK_LOCAL if context is None else self._prefix(reader, context)
        if mode == 1:
            return prefix + reader.take(8, "interface identifier")
        if mode == 2:
            return prefix + self.links.middle() + reader.take(2, "short address")
        return prefix + self.links.iid(link)

    def _prefix(self, reader: Reader, number: int) -> bytes:
        prefix = self.contexts.get(number)
        if prefix is None:
            raise reader.fail(f"context {number} is not known", "context")
        return prefix

    def _read_multicast(self, reader: Reader, context: int | None, mode: int) -> bytes:
        if context is not None:
            if mode:
                raise reader.fail("the multicast address mode is reserved", "address")
            head = reader.take(2, "multicast address")
            prefix = self._prefix(reader, context)
            # Unicast-prefix-based (RFC 3306): flags and scope, reserved, prefix length, prefix, group.
            return b"\xff" + head + b"\x40" + prefix + reader.take(4, "multicast group")
        if mode == 0:
            address = reader.take(16, "multicast address")
            if address[0] != 0xFF:
                raise reader.fail("a unicast address where a multicast one must stand", "address", back=16)
            return address
        if mode == 3:
            return b"\xff\x02" + bytes(13) + reader.take(1, "multicast group")
        scope = reader.take(1, "multicast scope")
        group = reader.take(5 if mode == 1 else 3, "multicast group")
        return b"\xff" + scope + bytes(14 - len(group)) + group


def _has_plain_udp(payload: bytes) -> bool:
    """A header whose length field says what the packet's says, so that it may be left out."""
    return len(payload) >= UDP_HEADER_SIZE and int.from_bytes(payload[4:6], "big") == len(payload)


def _traffic(traffic_class: int, flow_label: int) -> tuple[int, bytes]:
    """TF and its octets; in them ECN stands before DSCP, in the IPv6 header behind it."""
    ecn_dscp = (traffic_class & 3) << 6 | traffic_class >> 2
    if not flow_label:
        return (2, bytes([ecn_dscp])) if traffic_class else (3, b"")
    if not traffic_class >> 2:
        return 1, (ecn_dscp << 16 | flow_label).to_bytes(3, "big")
    return 0, (ecn_dscp << 24 | flow_label).to_bytes(4, "big")


def _read_traffic(reader: Reader, mode: int) -> tuple[int, int]:
    """Traffic class and flow label."""
    if mode == 3:
        return 0, 0
    first = reader.peek()
    octets = reader.take((4, 3, 1)[mode], "traffic class and flow label")
    ecn, dscp = first >> 6, first & 0x3F if mode != 1 else 0
    flow = 0 if mode == 2 else int.from_bytes(octets[-3:], "big") & 0xFFFFF
    return dscp << 2 | ecn, flow


def _multicast(address: bytes) -> tuple[None, int, bytes]:
    """Stateless forms only, from the shortest."""
    if address[1] == 0x02 and not any(address[2:15]):
        return None, 3, address[15:]
    if not any(address[2:13]):
        return None, 2, address[1:2] + address[13:]
    if not any(address[2:11]):
        return None, 1, address[1:2] + address[11:]
    return None, 0, address
