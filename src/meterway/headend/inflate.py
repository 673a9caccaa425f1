"""What came compressed, opened up to a bound: a small message must not fill the memory."""

from __future__ import annotations

import zlib
from typing import Final

import zstandard

from meterway.base.errors import DecodeError

__all__ = ["inflated"]

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_WINDOW: Final = 1 << 27


def inflated(octets: bytes, limit: int, encoding: str | None = None) -> bytes:
    """The octets in clear; ``encoding`` is gzip, zstd or identity, or None to see by their beginning.

    DecodeError if they are not whole, are of another encoding, or would be more than ``limit``.
    """
    if encoding is None:
        encoding = "gzip" if octets[:2] == _GZIP else "zstd" if octets[:4] == _ZSTD else "identity"
    match encoding.strip().lower():
        case "" | "identity":
            clear = octets
        case "gzip" | "x-gzip":
            clear = _gzip(octets, limit)
        case "zstd":
            clear = _zstd(octets, limit)
        case other:
            raise DecodeError(f"an encoding {other!r} is not known: gzip, zstd or none", 0, "encoding")
    if len(clear) > limit:
        raise DecodeError(f"more than {limit} octets", 0, "length")
    return clear


def _gzip(octets: bytes, limit: int) -> bytes:
    opener = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        clear = opener.decompress(octets, limit + 1)
    except zlib.error as error:
        raise DecodeError(f"not gzip: {error}", 0, "encoding") from None
    if len(clear) <= limit and (not opener.eof or opener.unused_data):
        raise DecodeError("not one whole gzip member", 0, "encoding")
    return clear


def _zstd(octets: bytes, limit: int) -> bytes:
    opener = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    clear, whole = bytearray(), False
    try:
        # In pieces, so that what they open to is seen to be too much before all of it is there.
        for start in range(0, len(octets), 256):
            clear += opener.decompress(octets[start : start + 256])
            if len(clear) > limit:
                return bytes(clear)
            if opener.eof:
                whole = not opener.unused_data and start + 256 >= len(octets)
                break
    except zstandard.ZstdError as error:
        raise DecodeError(f"not zstd: {error}", 0, "encoding") from None
    if not whole:
        raise DecodeError("not one whole zstd frame", 0, "encoding")
    return bytes(clear)
