"""What stands before a packet in a frame: the mesh header, the broadcast header, command frames (RFC 4944, G3).

The order is mesh header, broadcast header (BC0), then a fragment, a packet or a command. The command frame behind the
ESC dispatch (RFC 6282 gives it 0x40) is what G3 puts there: 1 for routing messages, 2 for bootstrapping (LBP).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from meterway.base.errors import LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.ieee802154.frame import Address

__all__ = ["BC0", "ESCAPE", "IPV6", "LBP_COMMAND", "Headers", "MeshHeader", "command", "is_mesh"]

IPV6: Final = 0x41
"""An uncompressed packet follows."""
ESCAPE: Final = 0x40
BC0: Final = 0x50
LBP_COMMAND: Final = 0x02
_MESH, _MESH_MASK, _DEEP = 0x80, 0xC0, 0x0F
_SHORT_ORIGINATOR, _SHORT_FINAL = 0x20, 0x10


def is_mesh(dispatch: int) -> bool:
    """Whether a dispatch octet begins a mesh header."""
    return dispatch & _MESH_MASK == _MESH


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshHeader:
    """Hops left (0 to 255), who began and who is meant."""

    hops_left: int
    originator: Address
    final: Address

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read one; DecodeError kinds: ``truncated``, ``dispatch``."""
        first = reader.u8("mesh header")
        if not is_mesh(first):
            raise reader.fail(f"dispatch {first:#04x} is no mesh header", "dispatch", back=1)
        hops = first & _DEEP
        if hops == _DEEP:
            hops = reader.u8("hops left")
        return cls(
            hops_left=hops,
            originator=_read(reader, is_short=bool(first & _SHORT_ORIGINATOR)),
            final=_read(reader, is_short=bool(first & _SHORT_FINAL)),
        )

    def encode(self) -> bytes:
        """Its octets; LocalProtocolError for a number of hops that cannot be."""
        if not 0 <= self.hops_left <= 0xFF:
            raise LocalProtocolError(f"{self.hops_left} hops left")
        first = _MESH | (isinstance(self.originator, int) and _SHORT_ORIGINATOR)
        first |= isinstance(self.final, int) and _SHORT_FINAL
        deep = self.hops_left >= _DEEP
        hops = bytes([first | _DEEP, self.hops_left]) if deep else bytes([first | self.hops_left])
        return hops + _write(self.originator) + _write(self.final)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """What stood before the rest of a frame's payload."""

    mesh: MeshHeader | None
    broadcast: int | None
    rest: bytes

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Take them off; DecodeError kinds: ``truncated``."""
        reader = Reader(octets)
        mesh = MeshHeader.decode(reader) if is_mesh(max(reader.peek(), 0)) else None
        broadcast = None
        if reader.peek() == BC0:
            reader.u8()
            broadcast = reader.u8("broadcast sequence number")
        return cls(mesh=mesh, broadcast=broadcast, rest=reader.rest())

    def encode(self) -> bytes:
        """The octets of all."""
        mesh = b"" if self.mesh is None else self.mesh.encode()
        broadcast = b"" if self.broadcast is None else bytes([BC0, self.broadcast])
        return mesh + broadcast + self.rest


def command(number: int, octets: bytes) -> bytes:
    """A command frame's payload."""
    return bytes([ESCAPE, number]) + octets


def _read(reader: Reader, *, is_short: bool) -> Address:
    return reader.u16("short address") if is_short else reader.take(8, "extended address")


def _write(address: Address) -> bytes:
    return address.to_bytes(2, "big") if isinstance(address, int) else address
