"""One MAC frame: frame control, sequence number, addresses, auxiliary security header, payload (IEEE 802.15.4-2006).

Frame versions 0 and 1 are read and written; the information elements of version 2 are not. Multi-octet fields go low
octet first, extended addresses too; here an address is a number (short) or eight octets in the order printed (EUI-64).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from meterway.base.crc import kermit
from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader

__all__ = ["BROADCAST", "Address", "FrameKind", "MacFrame", "SecurityHeader", "check_fcs", "with_fcs"]

Address = int | bytes
"""A short address (0 to 0xFFFF) or an extended one (eight octets)."""
BROADCAST: Final = 0xFFFF
"""The short address, and the PAN id, that mean everyone."""
_SECURED, _PENDING, _ACK, _ONE_PAN = 0x08, 0x10, 0x20, 0x40
_KNOWN_LEVELS: Final = (1, 2, 3, 5, 6, 7)
_FCS_SIZE: Final = 2


class FrameKind(IntEnum):
    """The frame types of the 2006 edition."""

    BEACON = 0
    DATA = 1
    ACK = 2
    COMMAND = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityHeader:
    """The auxiliary security header: level 1-3 (integrity) or 5-7 (and encryption), counter, key.

    ``key_index`` None is key identifier mode 0 (the key is implicit), a number is mode 1; modes 2 and 3 are not read.
    """

    level: int
    counter: int
    key_index: int | None = None

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read one; DecodeError kinds: ``truncated``, ``level``, ``key``."""
        control = reader.u8("security control")
        level, mode = control & 7, control >> 3 & 3
        if level not in _KNOWN_LEVELS or control >> 5:
            raise reader.fail(f"security control {control:#04x} asks for what is not done here", "level", back=1)
        if mode > 1:
            raise reader.fail(f"key identifier mode {mode}: only 0 and 1 are done here", "key", back=1)
        counter = int.from_bytes(reader.take(4, "frame counter"), "little")
        return cls(level=level, counter=counter, key_index=reader.u8("key index") if mode else None)

    def encode(self) -> bytes:
        """Its octets; LocalProtocolError for a level or counter that cannot be."""
        if self.level not in _KNOWN_LEVELS or not 0 <= self.counter <= 0xFFFFFFFF:
            raise LocalProtocolError(f"security level {self.level} with counter {self.counter} cannot be sent")
        mode, index = (0, b"") if self.key_index is None else (1, bytes([self.key_index]))
        return bytes([self.level | mode << 3]) + self.counter.to_bytes(4, "little") + index


@dataclass(frozen=True, slots=True, kw_only=True)
class MacFrame:
    """One frame without its FCS. ``source_pan`` is that of the destination where both are given and it is None.

    ``payload`` is what follows the headers; in a secured frame that is ciphertext and integrity code.
    """

    kind: FrameKind
    sequence: int
    pan: int | None = None
    destination: Address | None = None
    source_pan: int | None = None
    source: Address | None = None
    security: SecurityHeader | None = None
    payload: bytes = b""
    ack_request: bool = False
    pending: bool = False

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read a whole frame; DecodeError kinds: ``truncated``, ``control``, ``level``, ``key``."""
        reader = Reader(octets)
        low, high = reader.u8("frame control"), reader.u8("frame control")
        if low & 7 > FrameKind.COMMAND or high >> 4 & 3 > 1:
            raise DecodeError(f"frame control {high:02x}{low:02x} is of no frame that is read here", 0, "control")
        sequence = reader.u8("sequence number")
        one_pan = bool(low & _ONE_PAN)
        pan, destination = _read_address(reader, high >> 2 & 3, with_pan=True)
        source_pan, source = _read_address(reader, high >> 6, with_pan=not one_pan)
        if one_pan and (destination is None or source is None):
            raise DecodeError("one PAN id for two addresses, of which one is missing", 0, "control")
        return cls(
            kind=FrameKind(low & 7),
            sequence=sequence,
            pan=pan,
            destination=destination,
            source_pan=source_pan,
            source=source,
            security=SecurityHeader.decode(reader) if low & _SECURED else None,
            payload=reader.rest(),
            ack_request=bool(low & _ACK),
            pending=bool(low & _PENDING),
        )

    def header(self) -> bytes:
        """All that stands before the payload, the auxiliary security header included."""
        one_pan = self.destination is not None and self.source is not None and self.source_pan is None
        low = self.kind | (self.ack_request and _ACK) | (self.pending and _PENDING)
        low |= (self.security is not None and _SECURED) | (one_pan and _ONE_PAN)
        high = _mode(self.destination) << 2 | (self.security is not None) << 4 | _mode(self.source) << 6
        parts = [bytes([low, high, self.sequence])]
        if self.destination is not None:
            parts.append(_pan(self.pan) + _address(self.destination))
        if self.source is not None:
            parts.append((b"" if one_pan else _pan(self.source_pan)) + _address(self.source))
        if self.security is not None:
            parts.append(self.security.encode())
        return b"".join(parts)

    def encode(self) -> bytes:
        """The octets, without FCS."""
        return self.header() + self.payload


def with_fcs(octets: bytes, crc: Callable[[bytes], int] = kermit) -> bytes:
    """``octets`` and the frame check sequence behind them."""
    return octets + crc(octets).to_bytes(_FCS_SIZE, "little")


def check_fcs(octets: bytes, crc: Callable[[bytes], int] = kermit) -> bytes:
    """``octets`` without their frame check sequence; DecodeError(``fcs``, ``truncated``) if it is wrong."""
    if len(octets) < _FCS_SIZE:
        raise DecodeError("a frame without a frame check sequence", len(octets), "truncated")
    body = octets[:-_FCS_SIZE]
    if crc(body) != int.from_bytes(octets[-_FCS_SIZE:], "little"):
        raise DecodeError("the frame check sequence is wrong", len(body), "fcs")
    return body


def _mode(address: Address | None) -> int:
    if address is None:
        return 0
    return 2 if isinstance(address, int) else 3


def _pan(pan: int | None) -> bytes:
    if pan is None:
        raise LocalProtocolError("an address without its PAN id")
    return pan.to_bytes(2, "little")


def _address(address: Address) -> bytes:
    return address.to_bytes(2, "little") if isinstance(address, int) else address[::-1]


def _read_address(reader: Reader, mode: int, *, with_pan: bool) -> tuple[int | None, Address | None]:
    if mode == 0:
        return None, None
    if mode == 1:
        raise DecodeError("the addressing mode 1 is reserved", 1, "control")
    pan = int.from_bytes(reader.take(2, "PAN id"), "little") if with_pan else None
    if mode == 2:
        return pan, int.from_bytes(reader.take(2, "short address"), "little")
    return pan, reader.take(8, "extended address")[::-1]
