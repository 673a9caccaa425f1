"""APDUs to numbered segments and back: the LLC header, the send window, the reassembly (IEC 62056-46)."""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Final

from meterway.base.errors import RemoteProtocolError
from meterway.stacks.dlms.framing import Role

__all__ = [
    "LLC_COMMAND",
    "LLC_RESPONSE",
    "Reassembler",
    "Segment",
    "SendWindow",
    "Sequence",
    "judge",
    "llc_of",
    "segments_of",
    "strip_llc",
]

LLC_COMMAND: Final = b"\xe6\xe6\x00"
LLC_RESPONSE: Final = b"\xe6\xe7\x00"

Segment = tuple[bytes, bool]
"""An information field and whether more of the APDU follows."""


class Sequence(Enum):
    """What a send sequence number says about a frame."""

    NEW = "new"
    AGAIN = "again"
    GAP = "gap"


def judge(number: int, expected: int, window: int) -> Sequence:
    """Whether frame ``number`` is the expected one, one of the last ``window`` again, or one too far on (modulo 8)."""
    if number == expected:
        return Sequence.NEW
    return Sequence.AGAIN if (expected - number) % 8 <= window else Sequence.GAP


def llc_of(role: Role) -> bytes:
    """The LLC header that a side puts before its APDUs."""
    return LLC_COMMAND if role is Role.CLIENT else LLC_RESPONSE


def strip_llc(octets: bytes) -> tuple[bytes, bool]:
    """The APDU behind an LLC header of either direction, and whether there was one."""
    head = octets[:3]
    if head in (LLC_COMMAND, LLC_RESPONSE):
        return octets[3:], True
    return octets, False


def segments_of(octets: bytes, max_info: int) -> list[Segment]:
    """An APDU with its LLC header, cut to information fields of at most ``max_info`` octets."""
    end = len(octets)
    if end <= max_info:
        return [(octets, False)]
    return [(octets[start : start + max_info], start + max_info < end) for start in range(0, end, max_info)]


class SendWindow:
    """Segments that wait or are under way, numbered modulo 8."""

    __slots__ = ("_flying", "_queue", "first", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.first = 0
        self._flying: deque[Segment] = deque()
        self._queue: deque[Segment] = deque()

    @property
    def flying(self) -> int:
        """How many segments are sent and not acknowledged."""
        return len(self._flying)

    @property
    def next(self) -> int:
        """V(S): the number of the next new frame."""
        return (self.first + len(self._flying)) % 8

    def put(self, octets: bytes, max_info: int) -> None:
        """Queue an APDU with its LLC header, cut to information fields of at most ``max_info`` octets."""
        self._queue.extend(segments_of(octets, max_info))

    def acknowledge(self, expected: int) -> int:
        """Take the other side's N(R): how many segments it settles, or -1 if it cannot be."""
        count = (expected - self.first) % 8
        if count > len(self._flying):
            return -1
        for _ in range(count):
            self._flying.popleft()
        self.first = expected
        return count

    def burst(self) -> list[tuple[int, Segment]]:
        """What goes out in one turn: everything not acknowledged again, then new segments up to the window."""
        while self._queue and len(self._flying) < self.size:
            self._flying.append(self._queue.popleft())
        first = self.first
        return [((first + index) % 8, segment) for index, segment in enumerate(self._flying)]


class Reassembler:
    """Joins the segments of one APDU, up to ``limit`` octets with the LLC header."""

    __slots__ = ("_limit", "_parts", "_size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, information: bytes, *, more: bool) -> bytes | None:
        """The whole once its last segment is in, else None; RemoteProtocolError beyond the limit."""
        if not more and not self._parts and len(information) <= self._limit:
            return information
        self._size += len(information)
        if self._size > self._limit:
            self.clear()
            raise RemoteProtocolError(f"a segmented APDU grew beyond {self._limit} octets")
        self._parts.append(information)
        if more:
            return None
        whole = b"".join(self._parts)
        self.clear()
        return whole

    @property
    def begun(self) -> bool:
        """Whether segments are held."""
        return bool(self._parts)

    def clear(self) -> None:
        """Forget what was held."""
        self._parts.clear()
        self._size = 0
