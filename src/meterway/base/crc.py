"""The cyclic redundancy checks of metering, carried by C code of the standard library where possible.

``binascii.crc_hqx`` computes the polynomial 0x1021 with the most significant bit first; reversing the bits
of every octet turns it into the CRC of HDLC, SML and the optical port.
"""

from __future__ import annotations

from binascii import crc_hqx
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["arc", "en13757", "kermit", "x25", "xmodem"]

_MIRROR: Final = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def x25(octets: bytes) -> int:
    """CRC-16/X.25 (HDLC FCS and HCS, SML): 0x906E over ``123456789``; sent low octet first."""
    raw = crc_hqx(octets.translate(_MIRROR), 0xFFFF) ^ 0xFFFF
    return _MIRROR[raw >> 8] | _MIRROR[raw & 0xFF] << 8


def kermit(octets: bytes) -> int:
    """CRC-16/KERMIT (the FCS of IEEE 802.15.4): 0x2189 over ``123456789``; sent low octet first."""
    raw = crc_hqx(octets.translate(_MIRROR), 0)
    return _MIRROR[raw >> 8] | _MIRROR[raw & 0xFF] << 8


def xmodem(octets: bytes) -> int:
    """CRC-16/XMODEM (the FCS of G3 power line): 0x31C3 over ``123456789``."""
    return crc_hqx(octets, 0)


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


_CHUNK: Final = 1024


@lru_cache(maxsize=1)
def _arc_rows() -> tuple[NDArray[np.uint16], NDArray[np.intp]]:
    """What each octet adds to the remainder at each of the last 1,024 places, and where each place's row begins."""
    import numpy as np  # costs a tenth of a second: only those who check P1 telegrams pay

    first = np.array(_ARC, dtype=np.uint16)
    rows = np.empty((_CHUNK, 256), dtype=np.uint16)
    rows[-1] = first
    for place in range(_CHUNK - 2, -1, -1):
        rows[place] = rows[place + 1] >> 8 ^ first[rows[place + 1] & 0xFF]
    return rows.ravel(), np.arange(_CHUNK, dtype=np.intp) * 256


def arc(octets: bytes) -> int:
    """CRC-16/ARC (P1 telegrams): 0xBB3D over ``123456789``.

    The CRC is linear and starts at zero, so it is the exclusive or of what every octet adds at its place. The
    remainder of one chunk is folded into the first two octets of the next.
    """
    import numpy as np

    rows, begins = _arc_rows()
    crc = 0
    for start in range(0, len(octets), _CHUNK):
        chunk = octets[start : start + _CHUNK]
        if crc:
            chunk = bytes((chunk[0] ^ crc & 0xFF,)) + chunk[1:]
            if len(chunk) == 1:
                return crc >> 8 ^ _ARC[chunk[0]]
            chunk = chunk[:1] + bytes((chunk[1] ^ crc >> 8,)) + chunk[2:]
        places = begins[_CHUNK - len(chunk) :]
        crc = int(np.bitwise_xor.reduce(rows.take(places + np.frombuffer(chunk, dtype=np.uint8))))
    return crc


def en13757(octets: bytes) -> int:
    """CRC of wireless M-Bus (EN 13757-4): 0xC2B7 over ``123456789``; sent high octet first."""
    crc = 0
    table = _EN13757
    for octet in octets:
        crc = (crc << 8) & 0xFFFF ^ table[crc >> 8 ^ octet]
    return crc ^ 0xFFFF
