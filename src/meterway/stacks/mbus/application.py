"""The application protocol beside read-out (EN 13757-3): what a partner orders and what a meter complains of.

An order is made of data records under a command CI, or has a CI of its own. Everything here is the application
data; ``command_header`` is the transport header to seal it under.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import IntEnum
from typing import Final

from meterway.base.ciphers import aes_ecb_encrypt
from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.records.record import Record, make_record
from meterway.stacks.mbus.records.times import decode_time, encode_time
from meterway.stacks.mbus.tpl import Tpl

__all__ = [
    "APPLICATIONS",
    "APPLICATION_ERRORS",
    "Alarm",
    "ApplicationError",
    "ApplicationSelect",
    "ClockAction",
    "ClockOrder",
    "Switch",
    "change_key",
    "command_header",
    "encode_command",
    "set_address",
    "set_clock",
    "switch",
]

APPLICATION_ERRORS: Final[dict[int, str]] = {
    0x00: "unspecified error",
    0x01: "unimplemented CI field",
    0x02: "buffer too long, truncated",
    0x03: "too many records",
    0x04: "premature end of record",
    0x05: "more than ten DIFEs",
    0x06: "more than ten VIFEs",
    0x08: "application too busy",
    0x09: "too many readouts",
}

APPLICATIONS: Final[dict[int, str]] = {
    0x0: "all",
    0x1: "user data",
    0x2: "simple billing",
    0x3: "enhanced billing",
    0x4: "multi tariff billing",
    0x5: "instantaneous values",
    0x6: "load management values",
    0x8: "installation and startup",
    0x9: "testing",
    0xA: "calibration",
    0xB: "manufacturing",
    0xC: "development",
    0xD: "self test",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationError:
    """Why a meter refuses (CI 70, 6E, 6F); ``detail`` is what follows the code."""

    code: int
    detail: bytes = b""

    @classmethod
    def decode(cls, payload: bytes) -> ApplicationError:
        """From application data; an empty one is an unspecified error."""
        return cls(code=payload[0] if payload else 0, detail=payload[1:])

    def encode(self) -> bytes:
        """The application data."""
        return bytes((self.code,)) + self.detail

    @property
    def text(self) -> str:
        """The code in words."""
        return APPLICATION_ERRORS.get(self.code, f"error 0x{self.code:02X}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What a meter reports out of turn (CI 71, 74, 75): eight flags whose meaning is the maker's."""

    flags: int

    @classmethod
    def decode(cls, payload: bytes) -> Alarm:
        """From application data; DecodeError if there is none."""
        if not payload:
            raise DecodeError("the alarm has no flags", 0, "truncated")
        return cls(flags=payload[0])

    def encode(self) -> bytes:
        """The application data."""
        return bytes((self.flags,))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSelect:
    """Application reset (without ``application``) or selection of which data the next read-outs give (CI 50, 53)."""

    application: int | None = None
    block: int = 0

    @classmethod
    def decode(cls, payload: bytes) -> ApplicationSelect:
        """From application data; an empty one is a reset."""
        if not payload:
            return cls()
        return cls(application=payload[0] >> 4, block=payload[0] & 15)

    def encode(self) -> bytes:
        """The application data."""
        return b"" if self.application is None else bytes((self.application << 4 | self.block & 15,))


class Switch(IntEnum):
    """Positions of a valve or a relay."""

    OPEN = 0
    """The circuit or the flow is interrupted."""
    CLOSED = 1
    """Supply flows."""
    RELEASED = 2
    """Supply may be taken up again by hand at the meter."""


class ClockAction(IntEnum):
    """What to do with the time of a clock order."""

    SET = 0
    ADD = 1
    SUBTRACT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOrder:
    """Set a meter's clock (CI 6C, with ``moment``) or shift it (CI 6D, with ``shift``)."""

    action: ClockAction = ClockAction.SET
    moment: datetime | None = None
    shift: time | None = None

    @property
    def ci(self) -> int:
        """6C to set, 6D to shift."""
        return 0x6C if self.action is ClockAction.SET else 0x6D

    def encode(self) -> bytes:
        """The application data: control octet, time (type I or J), reserved octets."""
        if self.action is ClockAction.SET and self.moment is not None:
            return bytes((self.action,)) + encode_time(self.moment, 6) + bytes(3)
        if self.action is not ClockAction.SET and self.shift is not None:
            return bytes((self.action,)) + encode_time(self.shift, 3) + bytes(6)
        raise LocalProtocolError("a clock is set to a moment or shifted by a time")

    @classmethod
    def decode(cls, payload: bytes) -> ClockOrder:
        """From application data; DecodeError if it holds no time."""
        if len(payload) < 4 or payload[0] & 3 == 3:
            raise DecodeError("the clock order is cut off or of no known kind", 0, "clock")
        action = ClockAction(payload[0] & 3)
        value = decode_time(payload[1:7] if action is ClockAction.SET else payload[1:4])
        if action is ClockAction.SET and isinstance(value, datetime):
            return cls(moment=value)
        if action is not ClockAction.SET and isinstance(value, time):
            return cls(action=action, shift=value)
        raise DecodeError("the clock order holds no valid time", 1, "clock")


def set_clock(moment: datetime) -> Record:
    """The record that sets a clock where there is no clock order: date and time of type I."""
    return make_record(b"\x6d", moment, 6)


def set_address(primary: int) -> Record:
    """The record that gives a wired meter its primary address; LocalProtocolError unless 0 to 250."""
    if not 0 <= primary <= 250:
        raise LocalProtocolError(f"{primary} is no primary address of a slave: 0 to 250")
    return make_record(b"\x7a", primary, 1)


def switch(position: Switch, *, output: bool = False) -> Record:
    """The record that moves a valve or relay: remote control (FD 1F), or digital output (FD 1A) with ``output``."""
    return make_record(b"\xfd\x1a" if output else b"\xfd\x1f", int(position), 1)


def change_key(key: bytes, wrapping_key: bytes) -> Record:
    """The record that hands a meter its new user key (FD 19), encrypted under the key both sides know."""
    if len(key) != 16:
        raise LocalProtocolError(f"a key has 16 octets, not {len(key)}")
    return make_record(b"\xfd\x19", aes_ecb_encrypt(wrapping_key, key), 13)


def command_header(meter: Address | None, *, access: int, mode: int = 0, extension: bytes = b"") -> Tpl:
    """The transport header of a command (CI 5B long, 5A short without ``meter``), to be sealed with the records."""
    return Tpl(
        ci=0x5A if meter is None else 0x5B,
        header="short" if meter is None else "long",
        address=meter,
        access=access,
        config=mode << 8,
        extension=extension,
    )


def encode_command(records: Sequence[Record]) -> bytes:
    """The application data of records to send."""
    return b"".join(record.encode() for record in records)
