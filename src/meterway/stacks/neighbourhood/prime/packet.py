"""The generic MAC PDU of PRIME: generic header, one packet, CRC-32; PRIME 1.3.6 and 1.4 (ITU-T G.9904).

    1.3.6  unused 2, HT 2, reserved 5, DO 1, LEVEL 6, HCS 8,
           reserved 3, NAD 1, PRIO 2, C 1, LCID or CTYPE 9, SID 8, LNID 14, SPAD 1, LEN 9
    1.4    the same generic header,
           RM 4, PRIO 2, C 1, LCID or CTYPE 9, SID 8, LNID 14, reserved 1, LEN 9,
           NAD 1, TREF 1, ARQ 1, PSH 1, reserved 4

The norm lets one PDU of 1.3.6 carry several packets; here it is always one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

from meterway.base.errors import LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.prime.crc import crc8, crc32

__all__ = [
    "BROADCAST_LNID",
    "CRC_SIZE",
    "LCID_432_BROADCAST",
    "MAX_PAYLOAD",
    "UNREGISTERED_LNID",
    "ControlType",
    "HeaderType",
    "Packet",
    "Version",
    "header_type",
    "overhead",
]

BROADCAST_LNID: Final = 0x3FFF
"""In a data packet: every node."""
UNREGISTERED_LNID: Final = 0x3FFF
"""In a registration packet: a node that has no LNID (yet)."""
LCID_432_BROADCAST: Final = 2
"""The connection on which the base node's 4-32 convergence sublayer speaks to all."""
CRC_SIZE: Final = 4
MAX_PAYLOAD: Final = 0x1FF
_GENERIC_SIZE: Final = 3


class Version(Enum):
    """Which PRIME; the value is the size of its packet header. One network speaks one: frames do not say which."""

    V136 = 6
    V14 = 7


class HeaderType(IntEnum):
    """HT: what kind of PDU this is."""

    GENERIC = 0
    PROMOTION_NEEDED = 1
    BEACON = 2


class ControlType(IntEnum):
    """CTYPE of a control packet."""

    REG = 1
    CON = 2
    PRO = 3
    BSI = 4
    FRA = 5
    CFP = 6
    ALV = 7
    MUL = 8
    PRM = 9
    SEC = 10


def header_type(octets: bytes) -> int:
    """HT of a PDU, 0 to 3; -1 for no octets."""
    return octets[0] >> 4 & 3 if octets else -1


def overhead(version: Version) -> int:
    """How many octets a PDU has beside its payload."""
    return _GENERIC_SIZE + version.value + CRC_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet; ``lcid`` holds CTYPE if ``control``. ``arq`` (1.4 only) says that an ARQ subheader follows."""

    down: bool
    lnid: int
    lcid: int
    payload: bytes
    control: bool = False
    priority: int = 2
    sid: int = 0
    level: int = 0
    arq: bool = False

    @staticmethod
    def decode(reader: Reader, sna: bytes, version: Version) -> Packet:
        """Read one PDU, to the end of the reader.

        DecodeError kinds: ``truncated``, ``type``, ``hcs``, ``length``, ``crc``. A frame of another subnetwork fails
        at ``hcs`` (255 times of 256) or ``crc``.
        """
        start = reader.offset
        first, second, hcs = reader.u8("HT"), reader.u8("LEVEL"), reader.u8("HCS")
        if first >> 4 & 3 != HeaderType.GENERIC:
            raise reader.fail(f"HT {first >> 4 & 3} is not a generic PDU", "type", back=3)
        if crc8(bytes((first, second)), sna) != hcs:
            raise reader.fail("the header check is wrong, or of another subnetwork", "hcs", back=1)
        bits = reader.uint(version.value, "packet header")
        flags = 0
        if version is Version.V14:
            flags, bits = bits & 0xFF, bits >> 8
        length = bits & 0x1FF
        if reader.remaining != length + CRC_SIZE:
            raise reader.fail(f"LEN says {length} octets, there are {reader.remaining - CRC_SIZE}", "length", back=1)
        payload = reader.take(length)
        checked = reader.data[start : reader.offset]
        if crc32(checked, sna) != reader.u32("CRC"):
            raise reader.fail("the CRC is wrong, or of another subnetwork", "crc", back=CRC_SIZE)
        return Packet(
            down=second & 0x40 != 0,
            level=second & 0x3F,
            priority=bits >> 42 & 3,
            control=bits >> 41 & 1 != 0,
            lcid=bits >> 32 & 0x1FF,
            sid=bits >> 24 & 0xFF,
            lnid=bits >> 10 & 0x3FFF,
            payload=payload,
            arq=flags & 0x20 != 0,
        )

    def encode(self, sna: bytes, version: Version) -> bytes:
        """The octets; LocalProtocolError for a payload that LEN cannot say."""
        if len(self.payload) > MAX_PAYLOAD:
            raise LocalProtocolError(f"a PRIME packet of {len(self.payload)} octets is longer than {MAX_PAYLOAD}")
        generic = bytes((HeaderType.GENERIC << 4, (0x40 if self.down else 0) | self.level))
        bits = self.priority << 42 | self.control << 41 | self.lcid << 32 | self.sid << 24
        bits |= self.lnid << 10 | len(self.payload)
        if version is Version.V14:
            bits = bits << 8 | (0x20 if self.arq else 0)
        octets = generic + bytes((crc8(generic, sna),)) + bits.to_bytes(version.value, "big") + self.payload
        return octets + crc32(octets, sna).to_bytes(CRC_SIZE, "big")
