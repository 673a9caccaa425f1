"""Compact frames and format frames: values without their headers, and headers without values (EN 13757-3, annex).

A format is known by its signature, the CRC over all DIBs and VIBs. It is learnt from a full frame or a format frame;
whoever owns the ``Formats`` keeps them (``known`` is plain data).
"""

from __future__ import annotations

from typing import Final

from meterway.base.crc import en13757
from meterway.base.errors import DecodeError
from meterway.stacks.mbus.records.head import head_at
from meterway.stacks.mbus.records.known import KNOWN_FORMATS
from meterway.stacks.mbus.records.record import Records, decode_records
from meterway.stacks.mbus.records.values import LVAR, lvar_size

__all__ = ["Formats", "compact_frame", "decode_compact", "decode_format", "format_frame", "format_of", "signature"]

FILLER: Final = 0x2F


def signature(heads: bytes) -> int:
    """The format signature of concatenated record headers."""
    return en13757(heads)


def format_of(records: Records) -> bytes:
    """The headers of the records, one after the other."""
    return b"".join(record.head.octets for record in records.records)


class Formats:
    """Known formats by signature, the oldest dropped beyond ``limit``; ``KNOWN_FORMATS`` are known from the start."""

    __slots__ = ("known", "limit")

    def __init__(self, known: dict[int, bytes] | None = None, *, limit: int = 1024) -> None:
        self.known: dict[int, bytes] = {} if known is None else known
        self.limit = limit

    def get(self, code: int) -> bytes | None:
        """The headers of a format; None if it is not known."""
        return self.known.get(code) or KNOWN_FORMATS.get(code)

    def learn(self, records: Records) -> int | None:
        """Keep the format of a full frame; its signature, or None if there is nothing to keep."""
        if not records.records or records.has_manufacturer_data:
            return None
        return self.add(format_of(records))

    def add(self, heads: bytes) -> int:
        """Keep a format given by its headers."""
        code = signature(heads)
        if code not in self.known and len(self.known) >= self.limit:
            del self.known[next(iter(self.known))]
        self.known[code] = heads
        return code


def decode_format(data: bytes) -> bytes:
    """The headers a format frame announces: length, signature, headers; DecodeError if the signature is wrong."""
    if len(data) < 3:
        raise DecodeError("the format frame is cut off", len(data), "truncated")
    announced = data[1] | data[2] << 8
    for length in (data[0], data[0] - 2):
        heads = data[3 : 3 + length]
        if 0 < length == len(heads) and signature(heads) == announced:
            return heads
    raise DecodeError("the signature of the format frame is wrong", 1, "signature")


def format_frame(heads: bytes) -> bytes:
    """The application data of a format frame: length of what follows, signature, headers."""
    return bytes((len(heads) + 2,)) + signature(heads).to_bytes(2, "little") + heads


def compact_frame(records: Records) -> bytes:
    """The application data of a compact frame: signature, CRC of the full frame, data fields."""
    heads = format_of(records)
    full = b"".join(record.encode() for record in records.records)
    values = b"".join(record.data for record in records.records)
    return signature(heads).to_bytes(2, "little") + en13757(full).to_bytes(2, "little") + values


def decode_compact(data: bytes, formats: Formats) -> Records:
    """The records of a compact frame.

    DecodeError(format) if its signature is not known yet, DecodeError(format-crc) if the rebuilt frame is not the one
    that was meant.
    """
    if len(data) < 4:
        raise DecodeError("the compact frame is cut off", len(data), "truncated")
    code, check = data[0] | data[1] << 8, data[2] | data[3] << 8
    heads = formats.get(code)
    if heads is None:
        raise DecodeError(f"format signature 0x{code:04X} is not known yet: a full frame must come first", 0, "format")
    full, rest = _rebuild(heads, data[4:])
    for candidate in (full, full + rest) if rest.strip(b"\x2f") == b"" else (full,):
        if en13757(candidate) == check:
            return decode_records(full)
    raise DecodeError("the CRC of the full frame does not fit the compact frame", 2, "format-crc")


def _rebuild(heads: bytes, values: bytes) -> tuple[bytes, bytes]:
    out = bytearray()
    place = body = 0
    while place < len(heads):
        head = head_at(heads, place, len(heads))[0]
        size = head.size
        if size == LVAR:
            count = lvar_size(values[body]) if body < len(values) else None
            if count is None:
                raise DecodeError("a variable field of the compact frame is cut off", 4 + body, "truncated")
            size = count + 1
        if body + size > len(values):
            raise DecodeError("the compact frame has too few values", 4 + body, "truncated")
        out += head.octets + values[body : body + size]
        place += len(head.octets)
        body += size
    return bytes(out), values[body:]
