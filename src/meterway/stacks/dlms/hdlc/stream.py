"""Finding frames in a stream of octets: flags, noise, damaged frames and lying lengths (IEC 62056-46).

One flag may close a frame and open the next. A header check is looked at as soon as it is there, so that a
damaged length does not swallow the frames behind it. Every octet is looked at a bounded number of times.
"""

from __future__ import annotations

from typing import NamedTuple

from meterway.base.crc import x25
from meterway.base.errors import DecodeError
from meterway.stacks.dlms.hdlc.frame import FLAG, MAX_FRAME, MIN_FRAME, HdlcFrame, header_end, parse_frame

__all__ = ["Deframer", "Found"]

_FLAG = b"\x7e"
_WAIT = -1


class Found(NamedTuple):
    """Something in the stream: where it began, its octets without flags, and the frame or what is wrong.

    Error kinds: ``noise``, ``format``, ``length``, ``address``, ``hcs``, ``fcs``, ``flag``, ``truncated``.
    """

    offset: int
    octets: bytes
    frame: HdlcFrame | None
    error: DecodeError | None


class Deframer:
    """Cuts a stream into frames; offsets count all octets ever fed."""

    __slots__ = ("_base", "_data", "_found")

    def __init__(self) -> None:
        self._data = b""
        self._base = 0
        self._found: list[Found] = []

    @property
    def waiting(self) -> bool:
        """Whether octets of an unfinished frame are held."""
        return bool(self._data) and self._data != _FLAG

    def feed(self, octets: bytes) -> list[Found]:
        """Everything that became certain with these octets, in order."""
        held = self._data
        if held == _FLAG and octets[:1] == _FLAG:
            self._base += 1  # the closing flag of the last frame, then the opening flag of this one
        elif held:
            octets = held + octets
        return self._run(octets, final=False)

    def flush(self) -> list[Found]:
        """Give up waiting: what is held is looked at as if nothing followed, and then forgotten."""
        return self._run(self._data, final=True)

    def _run(self, data: bytes, *, final: bool) -> list[Found]:
        self._found = []
        position, end = 0, len(data)
        while position < end:
            if position + 1 == end and data[position] == FLAG and not final:
                break
            following = self._step(data, position, final=final)
            if following == _WAIT:
                break
            position = following
        self._base += position
        self._data = data[position:]
        return self._found

    def _step(self, data: bytes, position: int, *, final: bool) -> int:
        """Deal with what begins at ``position``; returns where to go on, or _WAIT for more octets."""
        end = len(data)
        if data[position] != FLAG:
            return self._skip(data, position, position)
        start = position + 1
        if start < end and data[start] == FLAG:
            return start
        stop = self._stop(data, start, final=final)
        if stop <= 0:
            return end if final and start == end else self._unsure(data, position, stop, final=final)
        try:
            frame = parse_frame(data, start, stop)
        except DecodeError as error:
            return self._damaged(data, start, stop, error)
        self._found.append(Found(self._base + start, data[start:stop], frame, None))
        if stop == end or data[stop] != FLAG:
            self._error(b"", stop, "the closing flag is missing after a good frame", "flag")
        return stop

    def _stop(self, data: bytes, start: int, *, final: bool) -> int:
        """Where the frame ends, if all of it and its closing flag are here; 0 to wait; -n if it is wrong already."""
        end = len(data)
        if end - start < 2:
            return 0 if start == end or data[start] >> 4 == 0xA else -1
        length = (data[start] << 8 | data[start + 1]) & MAX_FRAME
        if data[start] >> 4 != 0xA:
            return -1
        if length < MIN_FRAME:
            return -2
        stop = start + length
        if stop < end or (final and stop == end):
            return stop
        header = header_end(data, start, end)
        if header and header + 2 <= min(end, stop - 2) and not _header_is_good(data, start, header):
            return -3
        return 0

    def _unsure(self, data: bytes, position: int, reason: int, *, final: bool) -> int:
        start = position + 1
        if reason == 0:
            if not final:
                return _WAIT
            error = ("the HDLC frame is cut off", "truncated")
        else:
            error = (
                ("what follows the flag is not a frame of type 3", "format"),
                ("the length field is too small for a frame", "length"),
                ("the header check sequence is wrong", "hcs"),
            )[-reason - 1]
        return self._skip(data, start, start, *error)

    def _damaged(self, data: bytes, start: int, stop: int, error: DecodeError) -> int:
        """Report a bad frame. Its length is believed only where the header check held and a flag stands there."""
        believed = error.kind in ("fcs", "address") and stop < len(data) and data[stop] == FLAG
        following = stop if believed else data.find(_FLAG, start)
        if following < 0:
            following = len(data)
        self._error(data[start:following], start, error.message, error.kind, error.offset)
        return following

    def _skip(self, data: bytes, start: int, place: int, message: str = "", kind: str = "noise") -> int:
        """Report all octets from ``start`` up to the next flag as not a frame."""
        following = data.find(_FLAG, start)
        if following < 0:
            following = len(data)
        octets = data[start:following]
        self._error(octets, place, message or f"{len(octets)} octets outside of any frame", kind)
        return following

    def _error(self, octets: bytes, start: int, message: str, kind: str, place: int | None = None) -> None:
        error = DecodeError(message, self._base + (start if place is None else place), kind)
        self._found.append(Found(self._base + start, octets, None, error))


def _header_is_good(data: bytes, start: int, header: int) -> bool:
    return x25(data[start:header]) == data[header] | data[header + 1] << 8
