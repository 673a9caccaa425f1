"""The adaptation layer: packets to the payloads of frames, and payloads back to packets and commands.

One for each station. It forwards nothing: what is meant for another is an error of whoever carried it here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from meterway.base.errors import DecodeError
from meterway.stacks.neighbourhood.ieee802154.frame import BROADCAST, Address
from meterway.stacks.neighbourhood.lowpan.dispatch import ESCAPE, IPV6, Headers, MeshHeader
from meterway.stacks.neighbourhood.lowpan.fragment import Fragment, Reassembly, cut, is_fragment
from meterway.stacks.neighbourhood.lowpan.ip import HEADER_SIZE, Ipv6Packet
from meterway.stacks.neighbourhood.lowpan.iphc import Compressor, is_iphc

__all__ = ["MTU", "Adaptation", "Command", "LinkFrame", "Packet"]

MTU: Final = 1280
"""The longest packet that IPv6 asks every link to carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFrame:
    """The payload of one frame and the link addresses of the frame it stood in."""

    payload: bytes
    source: Address
    destination: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A whole packet came, from a link address."""

    packet: Ipv6Packet
    source: Address
    is_broadcast: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command frame came (``number`` 2 is LBP)."""

    number: int
    octets: bytes
    source: Address


class Adaptation:
    """``room`` is what a frame's payload holds, in octets; ``hops`` puts a mesh header with that many before packets.

    ``first_tag`` (0 to 0xFFFF) numbers the first datagram that is cut up; chosen by chance, so that a station that
    begins anew is not mistaken for itself. ``datagrams`` bounds how many are put together at once.
    """

    __slots__ = ("_broadcasts", "_compressor", "_hops", "_room", "_tag", "reassembly")

    def __init__(
        self, compressor: Compressor, *, room: int, first_tag: int, hops: int | None = None, datagrams: int = 64
    ) -> None:
        self._compressor = compressor
        self._room = room
        self._hops = hops
        self._tag = first_tag
        self._broadcasts = 0
        self.reassembly = Reassembly(limit=datagrams)

    def send(self, packet: Ipv6Packet, source: Address, destination: Address) -> list[bytes]:
        """The payloads that carry ``packet``; LocalProtocolError if it is too long to be cut up."""
        headers = Headers(mesh=None, broadcast=None, rest=b"")
        if self._hops is not None:
            mesh = MeshHeader(hops_left=self._hops, originator=source, final=destination)
            broadcast = None
            if destination == BROADCAST:
                broadcast = self._broadcasts = (self._broadcasts + 1) & 0xFF
            headers = Headers(mesh=mesh, broadcast=broadcast, rest=b"")
        compressed, covered = self._compressor.compress(packet, source, destination)
        room = self._room - len(headers.encode())
        if len(compressed) > room:
            self._tag = (self._tag + 1) & 0xFFFF
        payloads = cut(packet.encode(), compressed, covered, self._tag, room)
        return [replace(headers, rest=payload).encode() for payload in payloads]

    def receive(self, frame: LinkFrame, now: float) -> Packet | Command | None:
        """What became whole by this frame, or None; DecodeError for what is wrong with it."""
        headers = Headers.decode(frame.payload)
        source, destination, rest = frame.source, frame.destination, headers.rest
        if headers.mesh is not None:
            source, destination = headers.mesh.originator, headers.mesh.final
        if not rest:
            raise DecodeError("a frame without a dispatch", len(frame.payload), "truncated")
        if rest[0] == ESCAPE:
            if len(rest) == 1:
                raise DecodeError("a command frame without its number", len(frame.payload), "truncated")
            return Command(number=rest[1], octets=rest[2:], source=source)
        whole: bytes | None
        if is_fragment(rest[0]):
            whole = self._fragment(Fragment.decode(rest), source, destination, now)
        else:
            whole = self._plain(rest, source, destination, None)
        if whole is None:
            return None
        return Packet(packet=Ipv6Packet.decode(whole), source=source, is_broadcast=destination == BROADCAST)

    def _fragment(self, fragment: Fragment, source: Address, destination: Address, now: float) -> bytes | None:
        if not HEADER_SIZE <= fragment.size <= MTU:
            raise DecodeError(f"a datagram of {fragment.size} octets, where {MTU} are the most", 0, "size")
        octets = fragment.payload
        if not fragment.offset:
            octets = self._plain(octets, source, destination, fragment.size)
        key = (source, destination, fragment.size, fragment.tag)
        return self.reassembly.add(key, fragment.offset, octets, now)

    def _plain(self, rest: bytes, source: Address, destination: Address, size: int | None) -> bytes:
        if rest[0] == IPV6:
            return rest[1:]
        if is_iphc(rest[0]):
            return self._compressor.decompress(rest, source, destination, size)
        raise DecodeError(f"dispatch {rest[0]:#04x} is not done here", 0, "dispatch")
