"""What stands before a MAC frame on the power line: the segment control field, three octets (G3).

From the high bit: four reserved, tone map request, contention control, channel access priority, last segment; then six
bits of segment count and ten of segment length, which counts what follows the MAC's headers up to the FCS. As far as
known: from a published dissector (Renesas). Frames here are one segment; those of several are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from meterway.base.crc import xmodem
from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.ieee802154 import MacFrame, check_fcs, with_fcs

__all__ = ["SegmentControl", "SegmentFraming"]

_SIZE: Final = 3
_MAX_LENGTH: Final = 0x3FF


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentControl:
    """The field; ``length`` counts the octets of the segment: of the frame's payload, integrity code included."""

    length: int
    count: int = 0
    is_last: bool = True
    is_priority: bool = False
    contention: bool = False
    tone_map_request: bool = False

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read one; DecodeError(``truncated``)."""
        flags, rest = reader.u8("segment control"), reader.u16("segment control")
        return cls(
            length=rest & _MAX_LENGTH,
            count=rest >> 10,
            is_last=bool(flags & 1),
            is_priority=bool(flags & 2),
            contention=bool(flags & 4),
            tone_map_request=bool(flags & 8),
        )

    def encode(self) -> bytes:
        """Its octets; LocalProtocolError for a length that cannot be."""
        if not 0 <= self.length <= _MAX_LENGTH:
            raise LocalProtocolError(f"a segment of {self.length} octets")
        flags = self.is_last | self.is_priority << 1 | self.contention << 2 | self.tone_map_request << 3
        return bytes([flags]) + (self.count << 10 | self.length).to_bytes(2, "big")


class SegmentFraming:
    """Segment control, frame, FCS over both (CRC-16/XMODEM, low octet first)."""

    __slots__ = ()

    def wrap(self, frame: MacFrame, *, urgent: bool) -> bytes:
        """The octets for the medium; what is urgent asks for priority."""
        control = SegmentControl(length=len(frame.payload), is_priority=urgent)
        return with_fcs(control.encode() + frame.encode(), xmodem)

    def unwrap(self, octets: bytes) -> MacFrame:
        """The frame; DecodeError kinds: ``fcs``, ``segment``, ``length``, or as of ``MacFrame.decode``."""
        body = check_fcs(octets, xmodem)
        control = SegmentControl.decode(Reader(body))
        if control.count or not control.is_last:
            raise DecodeError(f"segment {control.count} of a frame in several", 0, "segment")
        frame = MacFrame.decode(body[_SIZE:])
        if control.length != len(frame.payload):
            raise DecodeError(f"a segment of {control.length} octets, but {len(frame.payload)} are there", 1, "length")
        return frame
