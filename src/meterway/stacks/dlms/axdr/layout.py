"""Row layouts: what rows of one shape have in common, learnt from one of them.

An array of structures repeats the same tag and length octets at the same places. A layout holds those places;
once it is seen that a run of rows agrees in every one of them, the values can be taken from the buffer with
one ``struct`` or one strided view, because the fixed octets leave no other way to read them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from struct import Struct
from typing import Final, NamedTuple

from meterway.base.errors import DecodeError
from meterway.stacks.dlms.axdr.leaves import length_at
from meterway.stacks.dlms.axdr.moments import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.axdr.tags import CODES, FIXED, Tag

__all__ = ["LEVELS", "Layout", "Place", "learn"]

LEVELS: Final = 4
"""How deep a row may be nested to have a layout; deeper rows are read one by one."""

_MAX_PLACES: Final = 512
_MAX_RECENT: Final = 256

Shape = int | None | tuple["Shape", ...]
"""A leaf is the index of its place, null-data None, a structure or array the tuple of its parts."""


class Place(NamedTuple):
    """Where a value stands in a row: ``position`` of its contents, their ``size`` in octets.

    ``bits`` is the count of bits of a bit-string.
    """

    position: int
    tag: int
    size: int
    bits: int


def _bits(place: Place) -> Callable[[bytes], str]:
    def convert(octets: bytes) -> str:
        return "".join(f"{octet:08b}" for octet in octets)[: place.bits]

    return convert


def _text(octets: bytes) -> str:
    return octets.decode("latin-1")


_CONVERT: Final[dict[int, Callable[[bytes], object]]] = {
    Tag.VISIBLE_STRING: _text,
    Tag.DATE_TIME: CosemDateTime.decode,
    Tag.DATE: CosemDate.decode,
    Tag.TIME: CosemTime.decode,
}


class Layout:
    """One shape of row: its size (``stride``), its fixed octets and the places of its values."""

    __slots__ = ("_checks", "_converters", "_flat", "_struct", "places", "shape", "stride")

    def __init__(
        self, stride: int, fixed: tuple[tuple[int, int], ...], places: tuple[Place, ...], shape: Shape
    ) -> None:
        self.stride = stride
        self.places = places
        self.shape = shape
        self._checks = tuple((position, bytes((octet,))) for position, octet in fixed)
        self._struct = Struct(_format(places, stride))
        self._flat = shape == tuple(range(len(places)))
        self._converters = [
            (index, _bits(place) if place.tag == Tag.BIT_STRING else _CONVERT[place.tag])
            for index, place in enumerate(places)
            if place.tag == Tag.BIT_STRING or place.tag in _CONVERT
        ]

    def matching(self, octets: bytes, offset: int, count: int) -> int:
        """How many of the next ``count`` rows have this layout, from the first on."""
        stride = self.stride
        found = min(count, (len(octets) - offset) // stride)
        for position, octet in self._checks:
            column = octets[offset + position : offset + found * stride : stride]
            if column != octet * found:
                found -= len(column.lstrip(octet))
        return found

    def rows(self, octets: bytes, offset: int, count: int) -> list[object]:
        """The plain Python objects of ``count`` rows that were found to match."""
        raw = self._struct.iter_unpack(memoryview(octets)[offset : offset + count * self.stride])
        if self._flat and not self._converters:
            return list(map(list, raw))
        columns: list[Sequence[object]] = list(zip(*raw, strict=True))
        for index, convert in self._converters:
            columns[index] = list(map(convert, columns[index]))  # type: ignore[arg-type]
        return list(_assemble(self.shape, columns, count))


def _format(places: tuple[Place, ...], stride: int) -> str:
    parts = [">"]
    done = 0
    for position, tag, size, _ in places:
        parts.append(f"{position - done}x")
        parts.append(CODES.get(tag, f"{size}s"))
        done = position + size
    parts.append(f"{stride - done}x")
    return "".join(parts)


def _assemble(shape: Shape, columns: list[Sequence[object]], count: int) -> Sequence[object]:
    if shape is None:
        return [None] * count
    if isinstance(shape, int):
        return columns[shape]
    if not shape:
        return [[] for _ in range(count)]
    return list(map(list, zip(*[_assemble(part, columns, count) for part in shape], strict=True)))


class _Walk:
    """Goes through one row and notes what is fixed and what is value."""

    __slots__ = ("fixed", "octets", "offset", "places", "start")

    def __init__(self, octets: bytes, offset: int) -> None:
        self.octets = octets
        self.start = self.offset = offset
        self.fixed: list[tuple[int, int]] = []
        self.places: list[Place] = []

    def head(self, end: int) -> None:
        """Note the octets up to ``end`` as fixed."""
        for at in range(self.offset, end):
            self.fixed.append((at - self.start, self.octets[at]))
        self.offset = end

    def length(self) -> int:
        count, end = length_at(self.octets, self.offset)
        self.head(end)
        return count

    def place(self, tag: int, size: int, bits: int = 0) -> Shape:
        self.places.append(Place(self.offset - self.start, tag, size, bits))
        self.offset += size
        return len(self.places) - 1

    def value(self, levels: int) -> Shape:
        """The shape of the next value; LookupError if rows that hold it cannot have a layout."""
        if len(self.fixed) > _MAX_PLACES:
            raise LookupError("too many places")
        tag = self.octets[self.offset]
        self.head(self.offset + 1)
        if tag in (Tag.STRUCTURE, Tag.ARRAY):
            if levels <= 0:
                raise LookupError("nested too deep")
            return tuple([self.value(levels - 1) for _ in range(self.length())])
        if tag == Tag.NULL_DATA:
            return None
        if tag == Tag.DONT_CARE:
            raise LookupError("no value, and not a repeated one either")
        if tag in (Tag.OCTET_STRING, Tag.VISIBLE_STRING):
            return self.place(tag, self.length())
        if tag == Tag.BIT_STRING:
            count = self.length()
            return self.place(tag, (count + 7) // 8, count)
        return self.place(tag, FIXED[tag])


_compiled = lru_cache(maxsize=512)(Layout)
_recent: dict[bytes, Layout] = {}  # first octets of a row to the layout last seen behind them


def learn(octets: bytes, offset: int) -> Layout | None:
    """The layout of the row at ``offset``; None for a row that has to be read on its own.

    These are rows with text in UTF-8, compact arrays, deep nesting, very many values, or damage.
    """
    start = octets[offset : offset + 4]
    recent = _recent.get(start)
    if recent is not None and recent.matching(octets, offset, 1):
        return recent
    walk = _Walk(octets, offset)
    try:
        shape = walk.value(LEVELS)
    except (LookupError, DecodeError):
        return None
    if walk.offset > len(octets) or not walk.places:
        return None
    layout = _compiled(walk.offset - offset, tuple(walk.fixed), tuple(walk.places), shape)
    if len(_recent) >= _MAX_RECENT:
        _recent.clear()
    _recent[start] = layout
    return layout
