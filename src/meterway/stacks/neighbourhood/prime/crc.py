"""The checks of PRIME: CRC-8 over headers and CRC-32 over PDUs, both most significant bit first, starting from zero.

The address of the subnetwork (SNA) goes before what is checked, but is not sent: a frame of another subnetwork looks
damaged. CRC-32 rides on C code of the standard library, whose bits run the other way.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from zlib import crc32 as mirrored_crc32

__all__ = ["crc8", "crc32"]

_MIRROR: Final = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_ALL: Final = 0xFFFFFFFF


def _table() -> bytes:
    rows = bytearray()
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
        rows.append(crc)
    return bytes(rows)


_CRC8: Final = _table()


def _run8(crc: int, octets: bytes) -> int:
    for octet in octets:
        crc = _CRC8[crc ^ octet]
    return crc


@lru_cache(maxsize=64)
def _begin8(sna: bytes) -> int:
    return _run8(0, sna)


@lru_cache(maxsize=64)
def _begin32(sna: bytes) -> int:
    """What zlib's CRC, told to start from nothing, holds after the SNA."""
    return mirrored_crc32(sna.translate(_MIRROR), _ALL)


def crc8(octets: bytes, sna: bytes = b"") -> int:
    """CRC-8, polynomial 0x07, of ``sna`` and ``octets``: 0xF4 over ``123456789`` without an SNA."""
    return _run8(_begin8(sna), octets)


def crc32(octets: bytes, sna: bytes = b"") -> int:
    """CRC-32, polynomial 0x04C11DB7, of ``sna`` and ``octets``: 0x89A1897F over ``123456789`` without an SNA."""
    raw = mirrored_crc32(octets.translate(_MIRROR), _begin32(sna)) ^ _ALL
    return int.from_bytes(raw.to_bytes(4, "little").translate(_MIRROR), "big")
