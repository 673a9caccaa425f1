"""Who a meter is on M-Bus: manufacturer, identification, version and device type.

The eight octets travel in two orders: ``M ID V T`` on radio (link layer, EN 13757-4) and ``ID M V T`` in a long
transport header and in a wired selection (EN 13757-7).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from meterway.base.errors import ConfigError, DecodeError

__all__ = ["DEVICE_TYPES", "Address", "manufacturer_code", "manufacturer_text"]

DEVICE_TYPES: Final[dict[int, str]] = {
    0x00: "other",
    0x01: "oil",
    0x02: "electricity",
    0x03: "gas",
    0x04: "heat",
    0x05: "steam",
    0x06: "warm water",
    0x07: "water",
    0x08: "heat cost allocator",
    0x09: "compressed air",
    0x0A: "cooling (outlet)",
    0x0B: "cooling (inlet)",
    0x0C: "heat (inlet)",
    0x0D: "heat and cooling",
    0x0E: "bus or system",
    0x0F: "unknown",
    0x10: "irrigation water",
    0x11: "water data logger",
    0x12: "gas data logger",
    0x13: "gas converter",
    0x14: "calorific value",
    0x15: "hot water",
    0x16: "cold water",
    0x17: "dual water",
    0x18: "pressure",
    0x19: "a/d converter",
    0x1A: "smoke detector",
    0x1B: "room sensor",
    0x1C: "gas detector",
    0x20: "breaker",
    0x21: "valve",
    0x25: "customer unit",
    0x28: "waste water",
    0x29: "waste",
    0x2A: "carbon dioxide",
    0x30: "service tool",
    0x31: "communication controller",
    0x32: "unidirectional repeater",
    0x33: "bidirectional repeater",
    0x36: "radio converter (system side)",
    0x37: "radio converter (meter side)",
    0x38: "bus converter (meter side)",
}


def _letters(code: int) -> str:
    return chr((code >> 10 & 31) + 64) + chr((code >> 5 & 31) + 64) + chr((code & 31) + 64)


_TEXTS: Final = [_letters(code) for code in range(0x8000)]


def manufacturer_text(code: int) -> str:
    """The three letters of a manufacturer code; bit 15 (address not unique worldwide) is left out."""
    return _TEXTS[code & 0x7FFF]


def manufacturer_code(text: str) -> int:
    """The 15-bit code of three letters; ConfigError for anything else."""
    if len(text) != 3 or not all("@" <= letter <= "_" for letter in text):
        raise ConfigError(f"{text!r} is not a manufacturer: three capital letters are wanted")
    first, second, third = (ord(letter) - 64 for letter in text)
    return first << 10 | second << 5 | third


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The address of a meter.

    ``ident`` are the eight digits as printed on the meter (digits A to F occur in the field), ``manufacturer``
    the 16-bit code as sent.
    """

    manufacturer: int
    ident: str
    version: int
    device_type: int

    @staticmethod
    def from_radio(octets: bytes) -> Address:
        """From ``M ID V T``; DecodeError unless there are 8 octets."""
        return _address(octets[2:6], octets[:2], octets[6:])

    @staticmethod
    def from_wired(octets: bytes) -> Address:
        """From ``ID M V T``; DecodeError unless there are 8 octets."""
        return _address(octets[:4], octets[4:6], octets[6:])

    @staticmethod
    def parse(text: str) -> Address:
        """From ``KAM-63452869-1B-16``; ConfigError for anything else."""
        try:
            maker, ident, version, kind = text.split("-")
            address = Address(
                manufacturer=manufacturer_code(maker),
                ident=ident.upper(),
                version=int(version, 16),
                device_type=int(kind, 16),
            )
            if len(ident) != 8 or len(address.to_radio()) != 8:
                raise ValueError
        except (ValueError, OverflowError):
            raise ConfigError(f"{text!r} is no meter address such as KAM-63452869-1B-16") from None
        return address

    @property
    def identification(self) -> bytes:
        """The four octets of the identification number as sent."""
        return bytes.fromhex(self.ident)[::-1]

    def to_radio(self) -> bytes:
        """``M ID V T``."""
        return self.manufacturer.to_bytes(2, "little") + self.identification + bytes((self.version, self.device_type))

    def to_wired(self) -> bytes:
        """``ID M V T``."""
        return self.identification + self.manufacturer.to_bytes(2, "little") + bytes((self.version, self.device_type))

    @property
    def manufacturer_text(self) -> str:
        """Three letters."""
        return _TEXTS[self.manufacturer & 0x7FFF]

    @property
    def medium(self) -> str:
        """The device type in words; ``type 0x..`` for a number the table does not have."""
        return DEVICE_TYPES.get(self.device_type) or f"type 0x{self.device_type:02X}"

    def __str__(self) -> str:
        """``KAM-63452869-1B-16``: manufacturer, identification, version, device type."""
        return f"{self.manufacturer_text}-{self.ident}-{self.version:02X}-{self.device_type:02X}"


@lru_cache(maxsize=16384)
def _address(ident: bytes, manufacturer: bytes, rest: bytes) -> Address:
    if len(rest) != 2:
        raise DecodeError(f"a meter address has 8 octets, not {6 + len(rest)}", 0, "truncated")
    return Address(
        manufacturer=manufacturer[0] | manufacturer[1] << 8,
        ident=ident[::-1].hex().upper(),
        version=rest[0],
        device_type=rest[1],
    )
