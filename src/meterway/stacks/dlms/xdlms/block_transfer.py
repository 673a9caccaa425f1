"""General block transfer: any APDU in numbered blocks (IEC 62056-5-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.xdlms.parts import encode_octets, read_octets

__all__ = ["BlockAssembly", "GeneralBlockTransfer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralBlockTransfer:
    """One block: last-block flag, streaming flag, window, own number, number acknowledged."""

    TAG: ClassVar[bytes] = b"\xe0"
    last: bool
    streaming: bool
    window: int
    block_number: int
    block_number_ack: int
    octets: bytes

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        control = reader.u8("block control")
        return cls(
            last=control & 0x80 != 0,
            streaming=control & 0x40 != 0,
            window=control & 0x3F,
            block_number=reader.u16("block number"),
            block_number_ack=reader.u16("block number acknowledged"),
            octets=read_octets(reader, "block data"),
        )

    def encode(self) -> bytes:
        """The whole APDU."""
        control = self.last << 7 | self.streaming << 6 | self.window
        numbers = self.block_number.to_bytes(2, "big") + self.block_number_ack.to_bytes(2, "big")
        return self.TAG + bytes((control,)) + numbers + encode_octets(self.octets)


class BlockAssembly:
    """Joins general blocks into an APDU; DecodeError when a block is missing or the APDU grows too long."""

    __slots__ = ("_limit", "_octets", "number")

    def __init__(self, limit: int = 1 << 24) -> None:
        self._octets = bytearray()
        self._limit = limit
        self.number = 0

    def add(self, block: GeneralBlockTransfer) -> bytes | None:
        """The whole APDU when ``block`` was its last piece, else None; a repeated block is passed over."""
        if block.block_number == self.number and self.number:
            return None
        if block.block_number != self.number + 1:
            raise DecodeError(f"general block {self.number + 1} expected, {block.block_number} came", 0, "block")
        if len(self._octets) + len(block.octets) > self._limit:
            raise DecodeError(f"a block transfer of more than {self._limit} octets is refused", 0, "block")
        self.number = block.block_number
        self._octets += block.octets
        return bytes(self._octets) if block.last else None
