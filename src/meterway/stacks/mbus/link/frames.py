"""Wired frames of EN 13757-2: single character, short frame, control and long frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.errors import DecodeError, LocalProtocolError

__all__ = [
    "ACK",
    "ALL",
    "ALL_REPLY",
    "REQ_UD1",
    "REQ_UD2",
    "RSP_UD",
    "SELECTED",
    "SND_NKE",
    "SND_UD",
    "Ack",
    "Frame",
    "LongFrame",
    "ShortFrame",
    "decode_frame",
]

ACK: Final = b"\xe5"
SND_NKE: Final = 0x40
SND_UD: Final = 0x53
REQ_UD2: Final = 0x5B
REQ_UD1: Final = 0x5A
RSP_UD: Final = 0x08
FCB: Final = 0x20
SELECTED: Final = 253
ALL_REPLY: Final = 254
ALL: Final = 255

_SHORT, _LONG, _STOP = 0x10, 0x68, 0x16


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The single character E5."""

    def encode(self) -> bytes:
        """One octet."""
        return ACK


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortFrame:
    """A frame without data: 10 C A checksum 16."""

    control: int
    address: int

    def encode(self) -> bytes:
        """Five octets."""
        return bytes((_SHORT, self.control, self.address, self.control + self.address & 0xFF, _STOP))


@dataclass(frozen=True, slots=True, kw_only=True)
class LongFrame:
    """A frame with a CI field and up to 252 octets of data: 68 L L 68 C A CI ... checksum 16.

    Without data it is a control frame.
    """

    control: int
    address: int
    ci: int
    data: bytes = b""

    def encode(self) -> bytes:
        """The whole frame; LocalProtocolError if there is too much data."""
        if len(self.data) > 252:
            raise LocalProtocolError(f"a long frame has at most 252 octets of data, not {len(self.data)}")
        body = bytes((self.control, self.address, self.ci)) + self.data
        size = len(body)
        return bytes((_LONG, size, size, _LONG)) + body + bytes((sum(body) & 0xFF, _STOP))


Frame = Ack | ShortFrame | LongFrame


def decode_frame(octets: bytes) -> Frame:
    """Exactly one frame; DecodeError (kinds ``start``, ``length``, ``checksum``, ``stop``) if it is none."""
    if octets == ACK:
        return Ack()
    if not octets:
        raise DecodeError("no octets", 0, "truncated")
    if octets[0] == _SHORT:
        return _short(octets)
    if octets[0] == _LONG:
        return _long(octets)
    raise DecodeError(f"0x{octets[0]:02X} does not start a frame", 0, "start")


def _short(octets: bytes) -> ShortFrame:
    if len(octets) != 5:
        raise DecodeError(f"a short frame has 5 octets, not {len(octets)}", len(octets), "length")
    if octets[1] + octets[2] & 0xFF != octets[3]:
        raise DecodeError("the checksum is wrong", 3, "checksum")
    if octets[4] != _STOP:
        raise DecodeError("the stop character is missing", 4, "stop")
    return ShortFrame(control=octets[1], address=octets[2])


def _long(octets: bytes) -> LongFrame:
    if len(octets) < 9:
        raise DecodeError("a long frame has at least 9 octets", len(octets), "truncated")
    size = octets[1]
    if octets[2] != size or octets[3] != _LONG or size < 3:
        raise DecodeError("the head of a long frame is wrong", 1, "length")
    if len(octets) != size + 6:
        raise DecodeError(f"the frame announces {size} octets and has {len(octets) - 6}", 1, "length")
    if sum(octets[4:-2]) & 0xFF != octets[-2]:
        raise DecodeError("the checksum is wrong", size + 4, "checksum")
    if octets[-1] != _STOP:
        raise DecodeError("the stop character is missing", size + 5, "stop")
    return LongFrame(control=octets[4], address=octets[5], ci=octets[6], data=octets[7:-2])
