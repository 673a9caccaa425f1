"""The control packets of PRIME that a node without switches needs: REG, CON and ALV, of 1.3.6 and 1.4.

    REG   1.3.6  N 1, R 1, SPC 2, reserved 2, CAP_SW 1, CAP_PA 1,
                 CAP_CFP 1, CAP_DC 1, CAP_MC 1, CAP_PRM 1, CAP_ARQ 1, TIME 3, EUI-48
          1.4    N 1, R 1, SPC 2, CAP_R 1, CAP_BC 1, CAP_SW 1, CAP_PA 1,
                 CAP_CFP 1, CAP_DC 1, ALV_F 1, reserved 1, CAP_ARQ 1, TIME 3, EUI-48
    CON          N 1, D 1, ARQ 1, E 1, reserved 3, LCID 9, [EUI-48 if E], TYPE 8, DLEN 8, DATA
    ALV   1.3.6  RXCNT 3, TXCNT 3, reserved 7, TIME 3, SSID 8
          1.4    R 1, RTL 4, TIME 3, MIN_LEVEL 6, reserved 2, TX_SEQ 3, reserved 5, a record for each hop
                 or, with R 0: reserved 3, RX_ENC 4, RX_SNR 4, RX_POW 4

What a REG packet means (request, response, acknowledgement, rejection, unregistration) follows from its direction, N
and the LNID of its packet header. Direct connections (D) and the security profiles (SPC 1 and up) are not implemented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.errors import LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.prime.packet import Version

__all__ = ["TYPE_432", "Alv", "Con", "Reg"]

TYPE_432: Final = 3
"""CON.TYPE of the IEC 61334-4-32 convergence sublayer."""
_CAP_ARQ: Final = 0x08


@dataclass(frozen=True, slots=True, kw_only=True)
class Reg:
    """Registration; ``time`` is the code of the keep-alive time. The only capability said is ARQ."""

    negative: bool
    eui48: bytes
    time: int = 0

    @staticmethod
    def decode(reader: Reader) -> Reg:
        """Read one; DecodeError kinds: ``truncated``, ``trailing``, ``security`` (a profile with keys)."""
        first, second = reader.u8("REG flags"), reader.u8("REG capabilities")
        if first >> 4 & 3:
            raise reader.fail(f"REG with security profile {first >> 4 & 3}", "security", back=2)
        eui48 = reader.take(6, "REG EUI-48")
        reader.finish("REG")
        return Reg(negative=first & 0x80 != 0, eui48=eui48, time=second & 7)

    def encode(self) -> bytes:
        """The octets, the same in both versions."""
        return bytes((0x80 if self.negative else 0, _CAP_ARQ | self.time)) + self.eui48


@dataclass(frozen=True, slots=True, kw_only=True)
class Con:
    """Opening (also as acceptance) or, if ``negative``, closing (also as rejection) of a connection."""

    negative: bool
    lcid: int
    type: int = TYPE_432
    data: bytes = b""
    arq: bool = True

    @staticmethod
    def decode(reader: Reader) -> Con:
        """Read one; DecodeError kinds: ``truncated``, ``trailing``, ``direct`` (a direct connection)."""
        bits = reader.u16("CON flags")
        if bits & 0x4000:
            raise reader.fail("a direct connection", "direct", back=2)
        if bits & 0x1000:
            reader.take(6, "CON EUI-48")
        kind, size = reader.u8("CON TYPE"), reader.u8("CON DLEN")
        data = reader.take(size, "CON DATA")
        reader.finish("CON")
        return Con(negative=bits & 0x8000 != 0, arq=bits & 0x2000 != 0, lcid=bits & 0x1FF, type=kind, data=data)

    def encode(self) -> bytes:
        """The octets, the same in both versions; LocalProtocolError for data longer than 255 octets."""
        if len(self.data) > 0xFF:
            raise LocalProtocolError("CON data of more than 255 octets")
        bits = (0x8000 if self.negative else 0) | (0x2000 if self.arq else 0) | self.lcid
        return bits.to_bytes(2, "big") + bytes((self.type, len(self.data))) + self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Alv:
    """Keep-alive, the question or the answer; counters count modulo 8. 1.4 knows ``sent`` (TX_SEQ) only."""

    sent: int
    received: int = 0
    time: int = 0

    @staticmethod
    def decode(reader: Reader, version: Version) -> Alv:
        """Read one; DecodeError kinds: ``truncated``, ``trailing``, ``acknowledgement`` (of one hop, 1.4)."""
        first = reader.u8("ALV")
        if version is Version.V136:
            time = reader.u8("ALV TIME") & 7
            reader.u8("ALV SSID")
            reader.finish("ALV")
            return Alv(received=first >> 5, sent=first >> 2 & 7, time=time)
        if not first & 0x80:
            raise reader.fail("an acknowledgement of one hop", "acknowledgement", back=1)
        reader.u8("ALV MIN_LEVEL")
        sent = reader.u8("ALV TX_SEQ") >> 5
        reader.rest()  # the records of the hops
        return Alv(sent=sent, time=first & 7)

    def encode(self, version: Version) -> bytes:
        """The octets; in 1.4 without records of hops."""
        if version is Version.V136:
            return bytes((self.received << 5 | self.sent << 2, self.time, 0))
        return bytes((0x80 | self.time, 0, self.sent << 5))
