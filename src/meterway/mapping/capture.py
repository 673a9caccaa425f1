"""A capture of raw octets, cut into telegrams: what a port gave or a file holds, frames of any kind one after another.

A telegram is what one answer can be given for: a frame, or the frames that carry one APDU in segments or blocks. What
begins like nothing that is known is handed on as it is, for the decoder to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from meterway.base.errors import DecodeError
from meterway.stacks.dlms.axdr import skip
from meterway.stacks.dlms.hdlc.address import HdlcAddress
from meterway.stacks.dlms.hdlc.frame import FrameKind, HdlcFrame, parse_frame
from meterway.stacks.dlms.hdlc.segments import strip_llc
from meterway.stacks.p1.encrypted import frame_length

__all__ = ["CUT", "Capture", "checked_frame", "end_of"]

CUT: Final = -1
"""The frame goes on behind the last octet."""
_NONE: Final = 0
_FLAG: Final = 0x7E
_IDLE: Final = b"\x7e\r\n"
_SML_BEGIN: Final = b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01"
_SML_END: Final = b"\x1b\x1b\x1b\x1b\x1a"
_P1_END: Final = re.compile(rb"\n!(?:[0-9A-Fa-f]{4})?\r?\n(?:\x03(?s:.))?")
_BEGIN: Final = re.compile(
    rb"\x7e+[\xa0-\xaf]|\x68(?s:(.)\1)\x68|\x1b\x1b\x1b\x1b\x01|/[A-Za-z0-9]{3}|\x00\x01\x00|\xdb\x08"
)
_CHECKED: Final = b"\x7e\x68\x1b"
_LONGEST: Final = 1 << 16
_MOST_FRAMES: Final = 256
_GENERAL_BLOCK: Final = 0xE0
_LAST_BLOCK: Final = 0x80
_LAST_SEGMENT: Final = 0x10
_FIRST_RECORD_CI: Final = 0x20


def end_of(octets: bytes, start: int = 0, *, is_alone: bool = False) -> int:
    """Where the telegram that begins at ``start`` ends: its frame, and unless ``is_alone`` those that belong to it.

    CUT if octets are missing; 0 if no frame begins there or its checks fail. A P1 telegram without its last line is
    CUT.
    """
    first = octets[start : start + 1]
    if first == b"\x7e":
        return _hdlc(octets, start, is_alone=is_alone)
    if first == b"\x68":
        return _mbus(octets, start, is_alone=is_alone)
    if first == b"\x1b":
        return _sml(octets, start)
    if first in (b"/", b"\x02"):
        match = _P1_END.search(octets, start)
        return match.end() if match else CUT
    if first == b"\x00":
        return _wrapper(octets, start)
    if first == b"\xdb":
        return _encrypted_p1(octets, start)
    if first == b"\x0f":
        return _notification(octets, start)
    if octets[start + 4 : start + 5] == b"\x16" and first == b"\x10":
        return start + 5
    return _NONE


def checked_frame(octets: bytes, start: int = 0) -> int:
    """Where the first frame with a check sum begins at or behind ``start`` whose checks hold; -1 if there is none."""
    while 0 <= start < len(octets):
        first = octets[start]
        if first == _FLAG and _frame_at(octets, start)[0] is not None:
            return start
        if first != _FLAG and first in _CHECKED and end_of(octets, start) > start:
            return start
        match = _BEGIN.search(octets, start + 1)
        start = match.start() if match else -1
    return -1


def _hdlc(octets: bytes, start: int, *, is_alone: bool) -> int:
    """Frames of both directions until no APDU is open: its last segment came, or the last of its general blocks."""
    open_apdus: set[tuple[HdlcAddress, HdlcAddress]] = set()
    for _ in range(_MOST_FRAMES):
        frame, end = _frame_at(octets, start)
        if frame is None:
            return end
        direction = (frame.destination, frame.source)
        if frame.segmented or _is_block_before_last(frame):
            open_apdus.add(direction)
        elif frame.kind in (FrameKind.I, FrameKind.UI):
            open_apdus.discard(direction)
        if is_alone or not open_apdus:
            return end + 1
        start = end
    return _NONE


def _frame_at(octets: bytes, start: int) -> tuple[HdlcFrame | None, int]:
    """The good frame behind the flags at ``start`` with the place of its closing flag, or None with CUT or 0."""
    while octets[start : start + 1] == b"\x7e":
        start += 1
    if len(octets) - start < 2:
        return None, CUT
    end = start + ((octets[start] << 8 | octets[start + 1]) & 0x7FF)
    if octets[start] >> 4 != 0xA:
        return None, _NONE
    if end >= len(octets):
        return None, CUT
    try:
        frame = parse_frame(octets, start, end)
    except DecodeError:
        return None, _NONE
    return (frame, end) if octets[end] == _FLAG else (None, _NONE)


def _is_block_before_last(frame: HdlcFrame) -> bool:
    block, _ = strip_llc(frame.information)
    return len(block) > 1 and block[0] == _GENERAL_BLOCK and not block[1] & _LAST_BLOCK


def _mbus(octets: bytes, start: int, *, is_alone: bool) -> int:
    """A long frame; of DLMS in several frames up to that with the last segment."""
    for _ in range(_MOST_FRAMES):
        head = octets[start : start + 4]
        if len(head) < 4:
            return CUT if head in (b"", b"\x68", b"\x68" + head[1:2], b"\x68" + head[1:2] * 2) else _NONE
        if head[0] != 0x68 or head[3] != 0x68 or head[1] != head[2]:
            return _NONE
        end = _mbus_end(octets, start, start + head[1] + 6)
        if end <= start:
            return end
        ci = octets[start + 6]
        if is_alone or ci >= _FIRST_RECORD_CI or ci & _LAST_SEGMENT:
            return end
        start = end
    return _NONE


def _mbus_end(octets: bytes, start: int, end: int) -> int:
    """Where the frame ends: where its length says, or 256 octets later, as some meters count modulo 256."""
    for place in (end, end + 256):
        if place > len(octets):
            return CUT
        if octets[place - 1] == 0x16 and sum(octets[start + 4 : place - 2]) & 0xFF == octets[place - 2]:
            return place
        if octets[start + 6 : start + 7] >= bytes((_FIRST_RECORD_CI,)):
            break
    return _NONE


def _sml(octets: bytes, start: int) -> int:
    """From the escape that begins to the one that ends, with fill count and CRC; escaped escapes are passed over."""
    if octets[start : start + 8] != _SML_BEGIN:
        return CUT if _SML_BEGIN.startswith(octets[start:]) else _NONE
    place = octets.find(_SML_END, start + 8)
    return place + 8 if 0 <= place <= len(octets) - 8 else CUT


def _wrapper(octets: bytes, start: int) -> int:
    head = octets[start : start + 8]
    if head[:2] != b"\x00\x01"[: len(head)]:
        return _NONE
    if len(head) < 8:
        return CUT
    end = start + 8 + int.from_bytes(head[6:8], "big")
    return end if end <= len(octets) else CUT


def _encrypted_p1(octets: bytes, start: int) -> int:
    try:
        size = frame_length(octets[start : start + 16])
    except DecodeError:
        return _NONE
    return start + size if size is not None and start + size <= len(octets) else CUT


def _notification(octets: bytes, start: int) -> int:
    """A data-notification without any frame ends where its one value ends."""
    head = octets[start + 5 : start + 7]
    if head == b"\x09\x0c":
        body = start + 19
    elif head[:1] in (b"\x0c", b"\x00"):
        body = start + 6 + head[0]
    else:
        return _NONE if head else CUT
    try:
        return skip(octets, body)
    except DecodeError as error:
        return CUT if error.kind in ("truncated", "count") else _NONE


class Capture:
    """Cuts telegrams out of octets as they come. It holds at most one unfinished telegram."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Every telegram that is whole now, in order, and what stands between them."""
        self._held += octets
        yield from self._cut(is_last=False)

    def flush(self) -> Iterator[bytes]:
        """What is left when nothing more comes."""
        yield from self._cut(is_last=True)
        if self._held.strip(_IDLE):
            yield self._held
        self._held = b""

    def _cut(self, *, is_last: bool) -> Iterator[bytes]:
        held, start = self._held, 0
        while start < len(held):
            if held[start] == _FLAG and held[start + 1 : start + 2] and held[start + 1] >> 4 != 0xA:
                start += 1  # the last flag of a frame, or one more of many
                continue
            end = end_of(held, start)
            if end == CUT and (is_last or len(held) - start > _LONGEST):
                end = _NONE
            if end == CUT:
                break
            if end == _NONE:
                end = self._next_begin(held, start)
                if end == CUT and not is_last and len(held) - start <= _LONGEST:
                    break
                end = len(held) if end == CUT else end
            if held[start:end].strip(_IDLE):
                yield held[start:end]
            is_shared = held[start] == _FLAG == held[end - 1] and held[end : end + 1] != b"\x7e" and end - start > 1
            start = end - is_shared  # the flag that ends a frame may begin the next
        self._held = held[start:]

    def _next_begin(self, held: bytes, start: int) -> int:
        match = _BEGIN.search(held, start + 1)
        return match.start() if match else CUT
