"""Data fields of EN 13757-3: integers, BCD, real, variable length; both directions."""

from __future__ import annotations

import struct
from math import isfinite
from typing import Final

__all__ = ["LVAR", "SIZES", "bcd", "encode_bcd", "encode_lvar", "lvar_size", "lvar_value", "real", "signed", "unsigned"]

LVAR: Final = -1

SIZES: Final = (0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, LVAR, 6)
"""Octets of the data field by DIF code 0 to E."""

_REAL: Final = struct.Struct("<f")
_REAL_MAX: Final = 3.402823e38


def signed(data: bytes) -> int:
    """Type B: two's complement, low octet first."""
    return int.from_bytes(data, "little", signed=True)


def unsigned(data: bytes) -> int:
    """Type C: unsigned, low octet first."""
    return int.from_bytes(data, "little")


def bcd(data: bytes) -> int | None:
    """Type A: packed digits, low octet first; a first digit F is the sign; None if a digit is not decimal."""
    digits = data[::-1].hex()
    if digits.isdecimal():
        return int(digits)
    if digits[0] == "f" and digits[1:].isdecimal():
        return -int(digits[1:])
    return None


def encode_bcd(value: int, size: int) -> bytes:
    """The inverse of ``bcd``; ValueError if the number has too many digits."""
    digits = f"{value:0{2 * size}d}" if value >= 0 else f"f{-value:0{2 * size - 1}d}"
    if len(digits) != 2 * size:
        raise ValueError(f"{value} does not fit into {2 * size} digits")
    return bytes.fromhex(digits)[::-1]


def real(data: bytes) -> float | None:
    """Type H: IEEE 754 single precision, given with as few digits as name it; None for infinity and not-a-number."""
    (value,) = _REAL.unpack(data)
    if not isfinite(value):
        return None
    for digits in (7, 8):
        short = float(f"{value:.{digits}g}")
        if abs(short) < _REAL_MAX and _REAL.pack(short) == data:
            return short
    return float(f"{value:.9g}")


def lvar_size(code: int) -> int | None:
    """Octets that follow an LVAR octet; None for a reserved code."""
    if code < 0xC0:
        return code
    if code < 0xCA:
        return code - 0xC0
    if 0xD0 <= code < 0xDA:
        return code - 0xD0
    if 0xE0 <= code < 0xF0:
        return code - 0xE0
    if 0xF0 <= code < 0xF5:
        return 4 * (code - 0xEC)
    return {0xF5: 48, 0xF6: 64}.get(code)


def lvar_value(code: int, data: bytes) -> int | str | bytes | None:
    """Text (ISO 8859-1, sent backwards), signed BCD, or binary octets as they are.

    What is announced as text and for the most part is none stays octets.
    """
    if code < 0xC0:
        text = data[::-1].decode("latin-1").rstrip("\0")
        return text if 2 * sum(" " <= letter <= "~" for letter in text) >= len(text) else data
    if code < 0xDA:
        number = bcd(data) if data else 0
        return number if number is None or code < 0xCA else -number
    return data


def encode_lvar(value: int | str | bytes) -> bytes:
    """The LVAR octet and the data of a text, a BCD number or up to 15 octets; ValueError if too long."""
    if isinstance(value, str):
        data = value.encode("latin-1")[::-1]
        if len(data) > 0xBF:
            raise ValueError("a text has at most 191 characters")
        return bytes((len(data),)) + data
    if isinstance(value, int):
        size = (len(str(abs(value))) + 1) // 2
        if size > 9:
            raise ValueError("a BCD number has at most 18 digits")
        return bytes(((0xD0 if value < 0 else 0xC0) + size,)) + encode_bcd(abs(value), size)
    for code in (*range(0xE0, 0xF0), *range(0xF0, 0xF7)):
        if lvar_size(code) == len(value):
            return bytes((code,)) + value
    raise ValueError(f"no LVAR code for {len(value)} octets")
