"""The cyclic redundancy checks of metering, carried by C code of the standard library where possible.

``binascii.crc_hqx`` computes the polynomial 0x1021 with the most significant bit first; reversing the bits
of every octet turns it into the CRC of HDLC, SML and the optical port.
"""

from __future__ import annotations

from binascii import crc_hqx
from functools import lru_cache
from struct import unpack
from typing import Final

__all__ = ["arc", "en13757", "x25"]

_MIRROR: Final = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def x25(octets: bytes) -> int:
    """CRC-16/X.25 (HDLC FCS and HCS, SML): 0x906E over ``123456789``; sent low octet first."""
    raw = crc_hqx(octets.translate(_MIRROR), 0xFFFF) ^ 0xFFFF
    return _MIRROR[raw >> 8] | _MIRROR[raw & 0xFF] << 8


def _table(poly: int, *, mirrored: bool) -> tuple[int, ...]:
    rows = []
    for value in range(256):
        crc = value if mirrored else value << 8
        for _ in range(8):
            if mirrored:
                crc = crc >> 1 ^ poly if crc & 1 else crc >> 1
            else:
                crc = (crc << 1 ^ poly if crc & 0x8000 else crc << 1) & 0xFFFF
        rows.append(crc)
    return tuple(rows)


_ARC: Final = _table(0xA001, mirrored=True)
_EN13757: Final = _table(0x3D65, mirrored=False)


@lru_cache(maxsize=1)
def _arc_pairs() -> tuple[int, ...]:
    """The remainder of every pair of octets, first octet low; made at first use (about 10 ms)."""
    return tuple(_ARC[low] >> 8 ^ _ARC[(_ARC[low] ^ high) & 0xFF] for high in range(256) for low in range(256))


def arc(octets: bytes) -> int:
    """CRC-16/ARC (P1 telegrams): 0xBB3D over ``123456789``.

    The remainder is as wide as a pair of octets, so each pair costs one look-up; a leading zero changes nothing
    because the CRC starts at zero.
    """
    if len(octets) & 1:
        octets = b"\0" + octets
    crc = 0
    table = _arc_pairs()
    for pair in unpack(f"<{len(octets) >> 1}H", octets):
        crc = table[crc ^ pair]
    return crc


def en13757(octets: bytes) -> int:
    """CRC of wireless M-Bus (EN 13757-4): 0xC2B7 over ``123456789``; sent high octet first."""
    crc = 0
    table = _EN13757
    for octet in octets:
        crc = (crc << 8) & 0xFFFF ^ table[crc >> 8 ^ octet]
    return crc ^ 0xFFFF
