"""Pushes whose attribute descriptors carry no type tags (Czech meters): read leniently, named as a quirk.

Each element is a structure of two: class (2 octets), OBIS code (6), attribute (1) without tags, then a tagged value.
"""

from __future__ import annotations

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data, Tag, read_length

__all__ = ["UNTAGGED_DESCRIPTORS", "decode_untagged"]

UNTAGGED_DESCRIPTORS = "untagged-descriptors"
_PAIR = b"\x02\x02"


def decode_untagged(octets: bytes, *, base: int = 0) -> Data:
    """A body of structure(anything, array of pairs) as tagged data: each pair as (code, value).

    DecodeError if the octets are not of that form either.
    """
    reader = Reader(octets, base=base)
    items: list[Data] = []
    if reader.u8("structure") != Tag.STRUCTURE:
        raise reader.fail("no structure of untagged descriptors", back=1)
    for _ in range(read_length(reader)):
        if reader.peek() == Tag.ARRAY:
            items += _pairs(reader)
        else:
            items.append(axdr.decode(reader))
    reader.finish("push body")
    return axdr.structure(*items)


def _pairs(reader: Reader) -> list[Data]:
    reader.u8("array")
    return [_pair(reader) for _ in range(read_length(reader))]


def _pair(reader: Reader) -> Data:
    if reader.take(2, "descriptor pair") != _PAIR:
        raise DecodeError("a structure of descriptor and value was expected", reader.place - 2)
    class_and_code = reader.take(9, "untagged attribute descriptor")
    return axdr.structure(axdr.octets(class_and_code[2:8]), axdr.decode(reader))
