"""COSEM data as plain Python objects, from the exact form or straight from octets.

Arrays and structures become lists (the rows of a compact array too), null-data and don't-care None, numbers
int or float, strings str or bytes, dates and times their classes.
"""

from __future__ import annotations

from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr.data import CompactArray, Data, decode

__all__ = ["native", "to_native"]


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
    reader = Reader(octets, offset)
    return native(decode(reader)), reader.offset
