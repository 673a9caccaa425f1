"""What stands before a MAC frame on the power line: the segment control field, three octets (G3, from memory).

From the high bit: four reserved, tone map request, contention control, channel access priority, last segment; then six
bits of segment count and ten of segment length. Frames here are one segment; those of several are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.ieee802154 import check_fcs, with_fcs

__all__ = ["SegmentControl", "SegmentFraming"]

_SIZE: Final = 3
_MAX_LENGTH: Final = 0x3FF


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentControl:
    """The field; ``length`` counts the octets of the frame's segment, here of the frame without FCS."""

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
    """Segment control, frame, FCS over both."""

    __slots__ = ()

    def wrap(self, frame: bytes, *, urgent: bool) -> bytes:
        """The octets for the medium; what is urgent asks for priority."""
        return with_fcs(SegmentControl(length=len(frame), is_priority=urgent).encode() + frame)

    def unwrap(self, octets: bytes) -> bytes:
        """The frame; DecodeError kinds: ``fcs``, ``truncated``, ``segment``, ``length``."""
        body = check_fcs(octets)
        control = SegmentControl.decode(Reader(body))
        if control.count or not control.is_last:
            raise DecodeError(f"segment {control.count} of a frame in several", 0, "segment")
        if control.length != len(body) - _SIZE:
            raise DecodeError(f"a segment of {control.length} octets, but {len(body) - _SIZE} are there", 1, "length")
        return body[_SIZE:]
