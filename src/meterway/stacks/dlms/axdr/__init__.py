"""A-XDR: the coding of COSEM data (IEC 62056-6-2, IEC 62056-5-3).

``Data`` is the exact form, ``native`` and ``to_native`` give plain Python objects, ``skip`` finds where a value ends,
``decode_columns`` and ``encode_columns`` are for the buffer of a profile; NumPy is imported when they are first asked
for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from meterway.stacks.dlms.axdr.build import (
    array,
    bits,
    boolean,
    date_time,
    enum,
    float32,
    float64,
    i8,
    i16,
    i32,
    i64,
    null,
    octets,
    structure,
    u8,
    u16,
    u32,
    u64,
    utf8,
    visible,
)
from meterway.stacks.dlms.axdr.data import CompactArray, Data, Value, decode, decode_all, encode
from meterway.stacks.dlms.axdr.leaves import encode_length, read_length
from meterway.stacks.dlms.axdr.moments import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.axdr.native import native, to_native
from meterway.stacks.dlms.axdr.skip import skip
from meterway.stacks.dlms.axdr.tags import Tag

if TYPE_CHECKING:
    from meterway.stacks.dlms.axdr.columns import Column, Columns, decode_columns
    from meterway.stacks.dlms.axdr.times import NO_TIME
    from meterway.stacks.dlms.axdr.write_columns import EncodeColumn, encode_columns

_LATE: Final = {
    "Column": "columns",
    "Columns": "columns",
    "EncodeColumn": "write_columns",
    "NO_TIME": "times",
    "decode_columns": "columns",
    "encode_columns": "write_columns",
}

__all__ = [
    "Column",
    "Columns",
    "EncodeColumn",
    "NO_TIME",
    "decode_columns",
    "encode_columns",
    "CompactArray",
    "CosemDate",
    "CosemDateTime",
    "CosemTime",
    "Data",
    "Tag",
    "Value",
    "array",
    "bits",
    "boolean",
    "date_time",
    "decode",
    "decode_all",
    "encode",
    "encode_length",
    "enum",
    "float32",
    "float64",
    "i16",
    "i32",
    "i64",
    "i8",
    "native",
    "null",
    "octets",
    "read_length",
    "skip",
    "structure",
    "to_native",
    "u16",
    "u32",
    "u64",
    "u8",
    "utf8",
    "visible",
]


def __getattr__(name: str) -> object:
    """What needs NumPy, imported on first use."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
    globals()[name] = value
    return value
