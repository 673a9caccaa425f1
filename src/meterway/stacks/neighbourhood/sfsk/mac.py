"""The MAC frame of S-FSK power line (IEC 61334-4-1): sub-frames of 36 octets, credits, addresses, FCS of 24 bits.

    NS 16 (number of sub-frames, as a code word), initial credit 3, current credit 3, delta credit 2,
    source 12, destination 12, pad length 8, M-SDU, pad, FCS 24

One frame has one to seven sub-frames; with seven its M-SDU has 242 octets. What the physical layer puts around a
sub-frame (preamble, delimiter, pause) is not here: the medium is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.errors import LocalProtocolError
from meterway.base.octets import Reader

__all__ = [
    "ALL_CONFIGURED",
    "ALL_PHYSICAL",
    "FIRST_INITIATOR",
    "LAST_INITIATOR",
    "MAX_FRAME",
    "MAX_SDU",
    "NEW",
    "NOBODY",
    "SUBFRAME",
    "MacFrame",
    "fcs24",
]

NOBODY: Final = 0x000
FIRST_INITIATOR: Final = 0xC00
LAST_INITIATOR: Final = 0xDFF
ALL_CONFIGURED: Final = 0xFFC
NEW: Final = 0xFFE
"""The address of a server that has none."""
ALL_PHYSICAL: Final = 0xFFF
SUBFRAME: Final = 36
_OVERHEAD: Final = 10
_FCS_SIZE: Final = 3
_CODES: Final = (0x6C6C, 0x3A3A, 0x5656, 0x7171, 0x1D1D, 0x4B4B, 0x2727)
"""The code words for one to seven sub-frames."""
MAX_FRAME: Final = len(_CODES) * SUBFRAME
MAX_SDU: Final = MAX_FRAME - _OVERHEAD
_POLYNOMIAL: Final = 0x5D6DCB


def _table() -> tuple[int, ...]:
    rows = []
    for value in range(256):
        crc = value << 16
        for _ in range(8):
            crc = (crc << 1 ^ _POLYNOMIAL if crc & 0x800000 else crc << 1) & 0xFFFFFF
        rows.append(crc)
    return tuple(rows)


_TABLE: Final = _table()


def fcs24(octets: bytes) -> int:
    """CRC-24 with polynomial 0x5D6DCB, most significant bit first, from zero: 0xB0C390 over ``123456789``."""
    crc, table = 0, _TABLE
    for octet in octets:
        crc = crc << 8 & 0xFFFFFF ^ table[crc >> 16 ^ octet]
    return crc


@dataclass(frozen=True, slots=True, kw_only=True)
class MacFrame:
    """One MAC frame; addresses are 0 to 0xFFF, credits 0 to 7 (delta 0 to 3)."""

    source: int
    destination: int
    sdu: bytes
    initial_credit: int = 0
    current_credit: int = 0
    delta_credit: int = 0

    @staticmethod
    def decode(reader: Reader) -> MacFrame:
        """Read one frame to the end of the reader; DecodeError kinds: ``truncated``, ``length``, ``pad``, ``fcs``."""
        size = reader.remaining
        code = reader.u16("NS")
        count = _CODES.index(code) + 1 if code in _CODES else 0
        if not count or size != count * SUBFRAME:
            raise reader.fail(f"NS {code:04X} does not say that there are {size} octets", "length", back=2)
        body = reader.take(size - 2 - _FCS_SIZE)
        if fcs24(body) != reader.uint(_FCS_SIZE, "FCS"):
            raise reader.fail("the FCS is wrong", "fcs", back=_FCS_SIZE)
        addresses, pad = int.from_bytes(body[1:4], "big"), body[4]
        if pad > min(len(body) - 5, SUBFRAME - 1) or any(body[len(body) - pad :]):
            raise reader.fail(f"a pad of {pad} octets does not fit, or is not of zeroes", "pad", back=size - 6)
        return MacFrame(
            source=addresses >> 12,
            destination=addresses & 0xFFF,
            sdu=body[5 : len(body) - pad],
            initial_credit=body[0] >> 5,
            current_credit=body[0] >> 2 & 7,
            delta_credit=body[0] & 3,
        )

    def encode(self) -> bytes:
        """The octets, in whole sub-frames; LocalProtocolError for an M-SDU of more than 242."""
        if len(self.sdu) > MAX_SDU:
            raise LocalProtocolError(f"an M-SDU of {len(self.sdu)} octets is longer than {MAX_SDU}")
        pad = -(_OVERHEAD + len(self.sdu)) % SUBFRAME
        credit = self.initial_credit << 5 | self.current_credit << 2 | self.delta_credit
        addresses = (self.source << 12 | self.destination).to_bytes(3, "big")
        body = bytes((credit,)) + addresses + bytes((pad,)) + self.sdu + bytes(pad)
        code = _CODES[(_OVERHEAD + len(self.sdu) + pad) // SUBFRAME - 1]
        return code.to_bytes(2, "big") + body + fcs24(body).to_bytes(_FCS_SIZE, "big")
