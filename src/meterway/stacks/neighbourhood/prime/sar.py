"""Segmentation and reassembly of PRIME's convergence layer: up to 64 segments, each behind one octet.

    TYPE 2 (0 first, 1 intermediate, 2 last, 3 last with CRC), then NSEGS 6 (segments less one) in the first segment and
    SEQ 6 in all others, where the second segment has SEQ 0. A first segment with NSEGS 0 is the whole.

TYPE 3 is of PRIME 1.4: the last segment ends with the CRC-32 of the whole, without SNA (as far as known).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.neighbourhood.prime.crc import crc32

__all__ = ["HEADER_SIZE", "MAX_SEGMENTS", "Basket", "segments"]

HEADER_SIZE: Final = 1
MAX_SEGMENTS: Final = 64
_FIRST, _INTERMEDIATE, _LAST, _LAST_WITH_CRC = 0, 1, 2, 3
_CRC_SIZE: Final = 4


def segments(whole: bytes, size: int, *, with_crc: bool = False) -> Iterator[bytes]:
    """``whole`` in segments of at most ``size`` octets beside their header; LocalProtocolError if 64 do not hold it."""
    if with_crc and len(whole) > size:
        whole += crc32(whole).to_bytes(_CRC_SIZE, "big")
    if with_crc and len(whole) > size:
        while (len(whole) - 1) % size < _CRC_SIZE:
            size -= 1  # so that the CRC is neither cut in two nor alone in its segment
    count = max(1, -(-len(whole) // size))
    if count > MAX_SEGMENTS:
        raise LocalProtocolError(f"{len(whole)} octets need {count} segments, more than {MAX_SEGMENTS}")
    yield bytes((_FIRST << 6 | count - 1,)) + whole[:size]
    last = _LAST_WITH_CRC if with_crc else _LAST
    for number in range(1, count):
        kind = last if number == count - 1 else _INTERMEDIATE
        yield bytes((kind << 6 | number - 1,)) + whole[number * size : (number + 1) * size]


class Basket:
    """Collects the segments of one whole, in any order; what contradicts itself is thrown away with an error."""

    __slots__ = ("_checked", "_count", "_least", "_parts")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget what was collected."""
        self._count = 0
        self._least = 1
        self._checked = False
        self._parts: dict[int, bytes] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is collected."""
        return not self._parts

    def add(self, segment: bytes, *, in_order: bool = True) -> bytes | None:
        """Take a segment; the whole if it is complete now.

        DecodeError kinds: ``truncated``, ``segment`` (a gap if ``in_order``, or segments of different wholes), ``crc``.
        """
        if not segment:
            raise DecodeError("an empty segment", 0, "truncated")
        kind, number, data = segment[0] >> 6, segment[0] & 0x3F, segment[1:]
        place = 0 if kind == _FIRST else number + 1
        if in_order:
            if place == 0:
                self.clear()
            elif place != len(self._parts):
                raise self._fail(f"segment {place} came instead of {len(self._parts)}")
        count = number + 1 if kind == _FIRST else place + 1 if kind != _INTERMEDIATE else 0
        if count and self._count and count != self._count:
            raise self._fail(f"a whole of {count} segments was to have {self._count}")
        self._count = count or self._count
        self._checked = self._checked or kind == _LAST_WITH_CRC
        if self._parts.setdefault(place, data) != data:
            raise self._fail(f"segment {place} came twice and differs")
        self._least = max(self._least, place + 2 if kind == _INTERMEDIATE else place + 1)
        if self._count and self._least > self._count:
            raise self._fail(f"more than {self._count} segments")
        return self._whole() if len(self._parts) == self._count else None

    def _whole(self) -> bytes:
        whole = b"".join(self._parts[place] for place in range(self._count))
        checked = self._checked
        self.clear()
        if not checked:
            return whole
        whole, check = whole[:-_CRC_SIZE], whole[-_CRC_SIZE:]
        if crc32(whole).to_bytes(_CRC_SIZE, "big") != check:
            raise self._fail("the CRC over all segments is wrong", "crc")
        return whole

    def _fail(self, message: str, kind: str = "segment") -> DecodeError:
        self.clear()
        return DecodeError(message, 0, kind)
