"""COSEM data as plain Python objects, from the exact form or straight from octets.

Arrays and structures become lists (the rows of a compact array too), null-data and don't-care None, numbers
int or float, strings str or bytes, dates and times their classes.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from struct import error as struct_error
from typing import Final

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr.data import CompactArray, Data, decode
from meterway.stacks.dlms.axdr.layout import LEVELS, learn
from meterway.stacks.dlms.axdr.leaves import length_at
from meterway.stacks.dlms.axdr.tags import CODES, MAX_DEPTH, Tag

__all__ = ["native", "to_native"]

_FEWEST_ROWS: Final = 4  # below this a layout costs more than it saves
_SHORTEST_RUN: Final = 8
_NUMBERS: Final[dict[int, tuple[Callable[[bytes, int], tuple[object, ...]], int]]] = {
    tag: (Struct(">" + code).unpack_from, 1 + Struct(">" + code).size) for tag, code in CODES.items()
}


def native(data: Data) -> object:
    """The plain Python object of one value."""
    value = data.value
    if isinstance(value, CompactArray):
        return [native(row) for row in value.rows()]
    if type(value) is tuple:
        return [native(item) for item in value]
    return value


def to_native(octets: bytes, offset: int = 0) -> tuple[object, int]:
    """The plain Python object of the value at ``offset`` and the offset after it; DecodeError as ``decode``."""
    try:
        return _value(octets, offset, MAX_DEPTH)
    except (IndexError, struct_error, DecodeError):
        reader = Reader(octets, offset)  # the exact decoder says what is wrong and where
        return native(decode(reader)), reader.offset


def _value(octets: bytes, offset: int, depth: int) -> tuple[object, int]:
    tag = octets[offset]
    number = _NUMBERS.get(tag)
    if number is not None:
        unpack_from, size = number
        return unpack_from(octets, offset + 1)[0], offset + size
    if tag == Tag.OCTET_STRING:
        size, start = length_at(octets, offset + 1)
        end = start + size
        if end > len(octets):
            raise IndexError(end)
        return octets[start:end], end
    if tag == Tag.STRUCTURE or tag == Tag.ARRAY:
        if depth <= 0:
            raise IndexError(offset)
        count, start = length_at(octets, offset + 1)
        if tag == Tag.ARRAY and count >= _FEWEST_ROWS and depth > LEVELS:
            return _rows(octets, start, count, depth - 1)
        return _items(octets, start, count, depth - 1)
    if tag == Tag.NULL_DATA:
        return None, offset + 1
    reader = Reader(octets, offset)
    return native(decode(reader)), reader.offset


def _items(octets: bytes, offset: int, count: int, depth: int) -> tuple[list[object], int]:
    items: list[object] = []
    for _ in range(count):
        item, offset = _value(octets, offset, depth)
        items.append(item)
    return items, offset


def _rows(octets: bytes, offset: int, count: int, depth: int) -> tuple[list[object], int]:
    """Runs of rows by their layout; a row that has none, or stands alone, by itself.

    How far ahead is looked follows the length of the runs, so that the work stays linear.
    """
    rows: list[object] = []
    ahead = count
    while (left := count - len(rows)) > 0:
        layout = learn(octets, offset) if left >= _FEWEST_ROWS else None
        run = layout.matching(octets, offset, min(left, ahead)) if layout is not None else 0
        if layout is not None and run >= _FEWEST_ROWS:
            rows += layout.rows(octets, offset, run)
            offset += run * layout.stride
            ahead = max(_SHORTEST_RUN, 2 * run)
        else:
            ahead = _SHORTEST_RUN
            items, offset = _items(octets, offset, min(left, max(run, 1)), depth)
            rows += items
    return rows, offset
