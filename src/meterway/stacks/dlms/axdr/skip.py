"""Where a value ends, without building it."""

from __future__ import annotations

from typing import Final

from meterway.base.errors import DecodeError
from meterway.stacks.dlms.axdr.layout import learn
from meterway.stacks.dlms.axdr.leaves import length_at
from meterway.stacks.dlms.axdr.tags import FIXED, Tag

__all__ = ["skip"]

_FIXED: Final = tuple(FIXED.get(tag, -1) for tag in range(256))
_FEWEST_ROWS: Final = 4  # below this a layout costs more than it saves
_COUNTED: Final = frozenset({Tag.OCTET_STRING, Tag.VISIBLE_STRING, Tag.UTF8_STRING})


def skip(octets: bytes, offset: int = 0) -> int:
    """The offset after the value that starts at ``offset``.

    Raises DecodeError (``truncated``, ``tag``, ``length``, ``count``). What a value holds is not checked:
    text, rows of a compact array and the depth of nesting are the decoder's to refuse.
    """
    place = offset
    try:
        place = _skip(octets, place)
    except IndexError:
        raise DecodeError("COSEM data ends within a value", len(octets), "truncated") from None
    if place > len(octets):
        raise DecodeError("COSEM data ends within a value", len(octets), "truncated")
    return place


def _skip(octets: bytes, offset: int) -> int:
    end = len(octets)
    pending = 1
    while pending:
        tag = octets[offset]
        offset += 1
        pending -= 1
        size = _FIXED[tag]
        if size >= 0:
            offset += size
        elif tag in _COUNTED:
            size, offset = length_at(octets, offset)
            offset += size
        elif tag == Tag.ARRAY or tag == Tag.STRUCTURE:
            size, offset = length_at(octets, offset)
            pending += size
            if pending > end - offset:
                raise DecodeError(f"{pending} values do not fit in {end - offset} octets", offset, "count")
            if tag == Tag.ARRAY and size >= _FEWEST_ROWS and (layout := learn(octets, offset)) is not None:
                rows = layout.matching(octets, offset, size)
                offset += rows * layout.stride
                pending -= rows
        elif tag == Tag.BIT_STRING:
            size, offset = length_at(octets, offset)
            offset += size + 7 >> 3
        elif tag == Tag.COMPACT_ARRAY:
            size, offset = length_at(octets, _skip_description(octets, offset))
            offset += size
        else:
            raise DecodeError(f"{tag} is not a tag of COSEM data", offset - 1, "tag")
    return offset


def _skip_description(octets: bytes, offset: int) -> int:
    pending = 1
    while pending:
        tag = octets[offset]
        offset += 1
        pending -= 1
        if tag == Tag.ARRAY:
            offset += 2
            pending += 1
        elif tag == Tag.STRUCTURE:
            size, offset = length_at(octets, offset)
            pending += size
        elif _FIXED[tag] < 0 and tag not in _COUNTED and tag != Tag.BIT_STRING:
            raise DecodeError(f"type {tag} cannot stand in a compact array", offset - 1, "tag")
    return offset
