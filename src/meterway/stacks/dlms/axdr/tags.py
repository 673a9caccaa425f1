"""The tags of COSEM data and what each says about the octets after it (IEC 62056-6-2, ``Data``)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["CODES", "DELTAS", "FIXED", "INTEGER_RANGES", "MAX_DEPTH", "NUMBERS", "Tag"]

MAX_DEPTH: Final = 32
"""How deep arrays and structures may be nested before octets are refused."""


class Tag(IntEnum):
    """The first octet of a value: which type follows."""

    NULL_DATA = 0
    ARRAY = 1
    STRUCTURE = 2
    BOOLEAN = 3
    BIT_STRING = 4
    DOUBLE_LONG = 5
    DOUBLE_LONG_UNSIGNED = 6
    OCTET_STRING = 9
    VISIBLE_STRING = 10
    UTF8_STRING = 12
    BCD = 13
    INTEGER = 15
    LONG = 16
    UNSIGNED = 17
    LONG_UNSIGNED = 18
    COMPACT_ARRAY = 19
    LONG64 = 20
    LONG64_UNSIGNED = 21
    ENUM = 22
    FLOAT32 = 23
    FLOAT64 = 24
    DATE_TIME = 25
    DATE = 26
    TIME = 27
    DELTA_INTEGER = 28
    DELTA_LONG = 29
    DELTA_DOUBLE_LONG = 30
    DELTA_UNSIGNED = 31
    DELTA_LONG_UNSIGNED = 32
    DELTA_DOUBLE_LONG_UNSIGNED = 33
    DONT_CARE = 255


CODES: Final[dict[int, str]] = {
    Tag.BOOLEAN: "?",
    Tag.DOUBLE_LONG: "i",
    Tag.DOUBLE_LONG_UNSIGNED: "I",
    Tag.BCD: "B",
    Tag.INTEGER: "b",
    Tag.LONG: "h",
    Tag.UNSIGNED: "B",
    Tag.LONG_UNSIGNED: "H",
    Tag.LONG64: "q",
    Tag.LONG64_UNSIGNED: "Q",
    Tag.ENUM: "B",
    Tag.FLOAT32: "f",
    Tag.FLOAT64: "d",
    Tag.DELTA_INTEGER: "b",
    Tag.DELTA_LONG: "h",
    Tag.DELTA_DOUBLE_LONG: "i",
    Tag.DELTA_UNSIGNED: "B",
    Tag.DELTA_LONG_UNSIGNED: "H",
    Tag.DELTA_DOUBLE_LONG_UNSIGNED: "I",
}
"""Tag to the big-endian ``struct`` code of its value, for every number and boolean."""

_WIDTHS: Final = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8, "f": 4, "d": 8}

FIXED: Final[dict[int, int]] = {tag: _WIDTHS[code] for tag, code in CODES.items()} | {
    Tag.NULL_DATA: 0,
    Tag.DATE_TIME: 12,
    Tag.DATE: 5,
    Tag.TIME: 4,
    Tag.DONT_CARE: 0,
}
"""Tag to the count of octets after it, for every type whose size does not vary."""

NUMBERS: Final = frozenset(CODES) - {Tag.BOOLEAN}
"""The tags whose value is an int or a float."""

DELTAS: Final = frozenset(range(Tag.DELTA_INTEGER, Tag.DELTA_DOUBLE_LONG_UNSIGNED + 1))
"""The tags whose value is a difference from the row before."""


def _range(code: str) -> tuple[int, int]:
    bits = 8 * _WIDTHS[code]
    return (0, (1 << bits) - 1) if code.isupper() else (-(1 << bits - 1), (1 << bits - 1) - 1)


INTEGER_RANGES: Final[dict[int, tuple[int, int]]] = {
    tag: _range(code) for tag, code in CODES.items() if code not in "?fd"
}
"""Tag to the smallest and largest value, for every integer type."""
