"""HDLC addresses of one, two or four octets (IEC 62056-46, MAC addressing).

Seven bits of every octet count; the lowest bit is set in the last octet only. The upper part names the
logical device, the lower part the physical one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from meterway.base.errors import ConfigError, DecodeError
from meterway.base.octets import Reader

__all__ = ["HdlcAddress", "address_end", "client_address", "read_address"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HdlcAddress:
    """One address: ``logical`` (upper) and ``physical`` (lower) in ``size`` octets.

    With one octet there is no physical part (0). A client has one octet. ConfigError if a part does not fit.
    """

    logical: int
    physical: int = 0
    size: int = 1

    def __post_init__(self) -> None:
        limits = {1: (0x7F, 0), 2: (0x7F, 0x7F), 4: (0x3FFF, 0x3FFF)}.get(self.size)
        if limits is None:
            raise ConfigError(f"an HDLC address has 1, 2 or 4 octets, not {self.size}")
        if not (0 <= self.logical <= limits[0] and 0 <= self.physical <= limits[1]):
            raise ConfigError(f"HDLC address {self.logical}/{self.physical} does not fit {self.size} octets")

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read up to the octet with the lowest bit set; DecodeError(address) for three octets or more than four."""
        stop = address_end(reader.data, reader.offset, reader.end)
        if stop == 0:
            raise reader.fail("an HDLC address without an end", "truncated")
        start = reader.place
        octets = reader.take(stop - reader.offset, "HDLC address")
        try:
            found = read_address(octets)
        except DecodeError as error:
            raise DecodeError(error.message, start, error.kind) from None
        return cls(logical=found.logical, physical=found.physical, size=found.size)

    def encode(self) -> bytes:
        """The octets of the address."""
        upper, lower = self.logical, self.physical
        if self.size == 1:
            return bytes((upper << 1 | 1,))
        if self.size == 2:
            return bytes((upper << 1, lower << 1 | 1))
        return bytes((upper >> 6 & 0xFE, upper << 1 & 0xFE, lower >> 6 & 0xFE, lower << 1 & 0xFE | 1))

    @property
    def to_all(self) -> bool:
        """Whether this is the all-station address in its upper part."""
        return self.logical == (0x3FFF if self.size == 4 else 0x7F)

    def reaches(self, station: HdlcAddress) -> bool:
        """Whether a frame with this destination is meant for ``station``, whichever size either is written in."""
        if not self.to_all and self.logical != station.logical:
            return False
        if self.size == 1 or station.size == 1:
            return True
        return self.physical in (station.physical, 0x3FFF if self.size == 4 else 0x7F)

    def __str__(self) -> str:
        """``logical`` or ``logical/physical``."""
        return str(self.logical) if self.size == 1 else f"{self.logical}/{self.physical}"


def address_end(data: bytes, start: int, end: int) -> int:
    """Where the address that begins at ``start`` ends, or 0 if ``end`` comes first."""
    for position in range(start, min(end, start + 5)):
        if data[position] & 1:
            return position + 1
    return start + 5 if end >= start + 5 else 0


@lru_cache(maxsize=4096)
def read_address(octets: bytes) -> HdlcAddress:
    """The address in exactly these octets; DecodeError(address) if the count is not 1, 2 or 4."""
    parts = [octet >> 1 for octet in octets]
    if not octets[-1] & 1 or len(parts) not in (1, 2, 4):
        raise DecodeError("an HDLC address has 1, 2 or 4 octets, the last one odd", 0, "address")
    if len(parts) == 1:
        return HdlcAddress(logical=parts[0])
    if len(parts) == 2:
        return HdlcAddress(logical=parts[0], physical=parts[1], size=2)
    return HdlcAddress(logical=parts[0] << 7 | parts[1], physical=parts[2] << 7 | parts[3], size=4)


def client_address(client: int) -> HdlcAddress:
    """The address of a client: one octet, 0 to 127."""
    return HdlcAddress(logical=client)
