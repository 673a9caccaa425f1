"""Fragments of a datagram (RFC 4944): FRAG1, FRAGN, cutting and putting together again.

A datagram is known by sender, receiver, size and tag. Offsets count octets of the uncompressed packet, in eights. What
overlaps without being the same throws away what was there, as the RFC asks; what is not whole in time is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.ieee802154.frame import Address

__all__ = ["MAX_DATAGRAM", "Fragment", "Reassembly", "cut", "is_fragment"]

MAX_DATAGRAM: Final = 0x7FF
_FRAG1, _FRAGN, _DISPATCH = 0xC0, 0xE0, 0xF8
_FIRST_HEADER, _LATER_HEADER, _UNIT = 4, 5, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One fragment; ``offset`` in octets, a multiple of eight, 0 for the first.

    The ``payload`` of the first begins with a dispatch octet (headers may be compressed), of others it is plain octets.
    """

    size: int
    tag: int
    offset: int
    payload: bytes

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read one; DecodeError kinds: ``truncated``, ``dispatch``, ``empty``, ``offset``."""
        reader = Reader(octets)
        first = reader.u16("fragment header")
        dispatch, size = first >> 8 & _DISPATCH, first & MAX_DATAGRAM
        if dispatch not in (_FRAG1, _FRAGN):
            raise DecodeError(f"dispatch {first >> 8:#04x} is no fragment", 0, "dispatch")
        tag = reader.u16("datagram tag")
        offset = reader.u8("datagram offset") * _UNIT if dispatch == _FRAGN else 0
        if dispatch == _FRAGN and not offset:
            raise reader.fail("a later fragment at the offset of the first", "offset", back=1)
        if not reader.remaining:
            raise reader.fail("a fragment without octets", "empty")
        return cls(size=size, tag=tag, offset=offset, payload=reader.rest())

    def encode(self) -> bytes:
        """Its octets."""
        first = (_FRAGN if self.offset else _FRAG1) << 8 | self.size
        head = first.to_bytes(2, "big") + self.tag.to_bytes(2, "big")
        return head + (bytes([self.offset // _UNIT]) if self.offset else b"") + self.payload


def is_fragment(dispatch: int) -> bool:
    """Whether a dispatch octet begins a fragment."""
    return dispatch & _DISPATCH in (_FRAG1, _FRAGN)


def cut(packet: bytes, compressed: bytes, headers: int, tag: int, room: int) -> list[bytes]:
    """The payloads of the frames that carry a datagram, each of at most ``room`` octets.

    ``compressed`` is the packet as it would go in one frame, of whose uncompressed form ``headers`` octets are inside
    compressed headers; what follows them is the same in both forms.
    """
    if len(compressed) <= room:
        return [compressed]
    if len(packet) > MAX_DATAGRAM:
        raise LocalProtocolError(f"a datagram of {len(packet)} octets, at most {MAX_DATAGRAM} can be cut up")
    body = len(packet) - headers
    head = len(compressed) - body
    # As much of the first as fits, its end at a multiple of eight of the uncompressed packet.
    stop = (headers + room - _FIRST_HEADER - head) // _UNIT * _UNIT
    step = (room - _LATER_HEADER) // _UNIT * _UNIT
    if stop < headers or step < _UNIT:
        raise LocalProtocolError(f"frames with room for {room} octets are too small for fragments")
    first = Fragment(size=len(packet), tag=tag, offset=0, payload=compressed[: head + stop - headers])
    later = (
        Fragment(size=len(packet), tag=tag, offset=offset, payload=packet[offset : offset + step])
        for offset in range(stop, len(packet), step)
    )
    return [first.encode(), *(fragment.encode() for fragment in later)]


_Key = tuple[Address, Address, int, int]


class _Partial:
    """What of one datagram is there: offset → octets, not overlapping."""

    __slots__ = ("due", "parts", "received")

    def __init__(self, due: float) -> None:
        self.due = due
        self.parts: dict[int, bytes] = {}
        self.received = 0


class Reassembly:
    """Datagrams that are coming in. ``limit`` bounds how many at once; the oldest goes when one more begins."""

    __slots__ = ("_limit", "_partial", "_timeout")

    def __init__(self, timeout_s: float = 60.0, limit: int = 64) -> None:
        self._timeout = timeout_s
        self._limit = limit
        self._partial: dict[_Key, _Partial] = {}

    def __len__(self) -> int:
        return len(self._partial)

    def add(self, key: _Key, offset: int, octets: bytes, now: float) -> bytes | None:
        """Take uncompressed octets at ``offset``; the packet when it is whole. DecodeError(``offset``, ``overlap``).

        The datagram's size is the third of ``key``.
        """
        size = key[2]
        end = offset + len(octets)
        if end > size or (end < size and len(octets) % _UNIT):
            raise DecodeError(f"a fragment from {offset} to {end} of a datagram of {size} octets", offset, "offset")
        partial = self._partial.get(key)
        if partial is None:
            partial = self._begin(key, now)
        known = partial.parts.get(offset)
        if known == octets:
            return None
        if known is not None or _overlaps(partial.parts, offset, end):
            del self._partial[key]
            self._begin(key, now).parts[offset] = octets
            self._partial[key].received = len(octets)
            raise DecodeError(f"a fragment from {offset} to {end} overlaps another", offset, "overlap")
        partial.parts[offset] = octets
        partial.received += len(octets)
        if partial.received < size:
            return None
        del self._partial[key]
        return b"".join(partial.parts[start] for start in sorted(partial.parts))

    def _begin(self, key: _Key, now: float) -> _Partial:
        if len(self._partial) >= self._limit:
            del self._partial[next(iter(self._partial))]
        partial = self._partial[key] = _Partial(now + self._timeout)
        return partial

    def next_timeout(self) -> float | None:
        """When the oldest is given up: all wait equally long, so it is the first."""
        return next(iter(self._partial.values())).due if self._partial else None

    def expire(self, now: float) -> int:
        """Give up what is too old; how many there were."""
        old = 0
        while self._partial:
            key = next(iter(self._partial))
            if self._partial[key].due > now:
                break
            del self._partial[key]
            old += 1
        return old

    def forget(self, source: Address) -> None:
        """Drop what began to come from ``source``, whose tags may begin anew."""
        for key in [key for key in self._partial if key[0] == source]:
            del self._partial[key]


def _overlaps(parts: dict[int, bytes], offset: int, end: int) -> bool:
    return any(start < end and offset < start + len(octets) for start, octets in parts.items())
