"""How a PRIME network shows itself: the beacon of the base node, and the PDU of a node that hears none.

beacon 1.3.6   unused 2, HT 2, reserved 1, QLTY 3, SID 8, CNT 3, SLT 3, CFP 10, reserved 1, LEVEL 6, (1),
               SEQ 5, FRQ 3, SNA 48, UPCOST 8, DNCOST 8, CRC 32
beacon 1.4     unused 2, HT 2, QLTY 4, SID 8, LEVEL 6, CFP 10, CSMA 1, POS 7, FRA_LEN 2, PHYBC 1, MACBC 1, reserved 4,
               SEQ 5, FRQ 3, SNA 48, COST 8, CRC 32 (over the beacon and 00 01 04 00)
promotion      unused 2, HT 2, version and capabilities 4, SNA 48, PNA 48, HCS 8
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.prime.crc import crc8, crc32
from meterway.stacks.neighbourhood.prime.packet import CRC_SIZE, HeaderType, Version

__all__ = ["NO_SNA", "Beacon", "PromotionNeeded"]

NO_SNA: Final = b"\xff" * 6
"""The SNA in the PDU of a node that looks for any network."""
_BEACON_SIZE: Final = 14
_END_14: Final = bytes.fromhex("00010400")
_QUALITY: Final = {Version.V136: 0x07, Version.V14: 0x0F}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beacon:
    """What a beacon tells here: whose subnetwork (``sna``), which switch (``sid``, 0 the base node), and its number."""

    sna: bytes
    sequence: int = 0
    sid: int = 0
    level: int = 0

    @staticmethod
    def decode(reader: Reader, version: Version) -> Beacon:
        """Read one beacon; DecodeError kinds: ``truncated``, ``trailing``, ``type``, ``crc``."""
        octets = reader.take(_BEACON_SIZE, "beacon")
        if octets[0] >> 4 & 3 != HeaderType.BEACON:
            raise reader.fail("not a beacon", "type", back=_BEACON_SIZE)
        if _check(octets, version) != reader.u32("CRC"):
            raise reader.fail("the CRC of the beacon is wrong", "crc", back=CRC_SIZE)
        reader.finish("beacon")
        if version is Version.V14:
            level, sequence, sna = octets[2] >> 2, octets[6] >> 3, octets[7:13]
        else:
            level, sequence, sna = octets[4] >> 1 & 0x3F, octets[5] >> 3, octets[6:12]
        return Beacon(sna=sna, sequence=sequence, sid=octets[1], level=level)

    def encode(self, version: Version) -> bytes:
        """The octets: best quality, no contention-free time, no cost, one beacon a frame."""
        head = bytes((HeaderType.BEACON << 4 | _QUALITY[version], self.sid))
        sequence = bytes((self.sequence << 3 & 0xFF,))
        if version is Version.V14:
            octets = head + bytes((self.level << 2, 0, 0, 0)) + sequence + self.sna + b"\x00"
        else:
            octets = head + bytes((0, 0, self.level << 1)) + sequence + self.sna + b"\x00\x00"
        return octets + _check(octets, version).to_bytes(CRC_SIZE, "big")


def _check(octets: bytes, version: Version) -> int:
    return crc32(octets + _END_14 if version is Version.V14 else octets)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionNeeded:
    """A node that hears no beacon asks its neighbours to become switches; ``pna`` is its own EUI-48."""

    pna: bytes
    sna: bytes = NO_SNA

    @staticmethod
    def decode(reader: Reader) -> PromotionNeeded:
        """Read one; DecodeError kinds: ``truncated``, ``trailing``, ``type``, ``hcs``."""
        octets = reader.take(13, "promotion needed PDU")
        if octets[0] >> 4 & 3 != HeaderType.PROMOTION_NEEDED:
            raise reader.fail("not a promotion needed PDU", "type", back=13)
        if crc8(octets) != reader.u8("HCS"):
            raise reader.fail("the check of the promotion needed PDU is wrong", "hcs", back=1)
        reader.finish("promotion needed PDU")
        return PromotionNeeded(sna=octets[1:7], pna=octets[7:13])

    def encode(self) -> bytes:
        """The octets, without capabilities."""
        octets = bytes((HeaderType.PROMOTION_NEEDED << 4,)) + self.sna + self.pna
        return octets + bytes((crc8(octets),))
