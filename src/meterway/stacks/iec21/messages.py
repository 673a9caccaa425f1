"""The messages of IEC 62056-21: sign-on, identification, option select, and the data message with its check character.

Characters are of seven bits; a parity bit that came through is taken off. The check character is the exclusive or of
everything after STX up to and with ETX. Source: IEC 62056-21 as its public readouts show it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import reduce
from operator import xor
from typing import Final, Self

from meterway.base.errors import DecodeError, LocalProtocolError

__all__ = ["ACK", "BAUDS", "ETX", "STX", "DataMessage", "DataSet", "Identification", "OptionSelect", "SignOn", "bcc"]

STX, ETX, ACK = 0x02, 0x03, 0x06
BAUDS: Final = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200}
"""Mode C: the speed of each character of the identification."""
_BAUDS_B: Final = {"A": 600, "B": 1200, "C": 2400, "D": 4800, "E": 9600, "F": 19200}
_SIGN_ON: Final = re.compile(r"/\?([0-9A-Za-z ]{0,32})!\r\n")
_IDENTIFICATION: Final = re.compile(r"/([A-Z]{2}[A-Za-z])([ -.0-~])((?:\\[ -.0-~])*)([ -.0-\[\]-~]{0,16})\r\n")
_OPTION: Final = re.compile(r"\x06([0-9])([0-9A-I])([0-9A-Z])\r\n")
_SET: Final = re.compile(r"([^()/!\r\n\x00-\x1f]{0,16})\(([^()*/!\x00-\x1f]{0,128})(?:\*([^()/!\x00-\x1f]{0,16}))?\)")
_END: Final = "!\r\n"
_STRIP_PARITY: Final = bytes(value & 0x7F for value in range(256))


def bcc(octets: bytes) -> int:
    """The check character over what stands after STX, ETX included."""
    return reduce(xor, octets, 0) & 0x7F


def _text(octets: bytes) -> str:
    return octets.translate(_STRIP_PARITY).decode("ascii")


def _match(pattern: re.Pattern[str], octets: bytes, name: str) -> re.Match[str]:
    found = pattern.fullmatch(_text(octets))
    if found is None:
        raise DecodeError(f"no {name}", 0, name.replace(" ", "-"))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOn:
    """``/?address!``: a hand-held asks whoever is there, or the device of an address."""

    address: str = ""

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """From one line with its end; DecodeError for anything else."""
        return cls(address=_match(_SIGN_ON, octets, "sign-on")[1])

    def encode(self) -> bytes:
        """The octets; LocalProtocolError for an address that cannot be one."""
        return _sent(_SIGN_ON, f"/?{self.address}!\r\n", "sign-on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """``/XXXZ ident``: three letters of the maker, the speed offered, and what the device calls itself.

    ``modes`` holds the letters that stood behind backslashes (``2`` says that it can talk DLMS: mode E).
    """

    maker: str
    speed: str
    ident: str
    modes: str = ""

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """From one line with its end; DecodeError for anything else."""
        found = _match(_IDENTIFICATION, octets, "identification")
        return cls(maker=found[1], speed=found[2], modes=found[3][1::2], ident=found[4])

    def encode(self) -> bytes:
        """The octets; LocalProtocolError for what does not fit."""
        modes = "".join(f"\\{letter}" for letter in self.modes)
        return _sent(_IDENTIFICATION, f"/{self.maker}{self.speed}{modes}{self.ident}\r\n", "identification")

    @property
    def is_mode_c(self) -> bool:
        """Whether it waits for an option to be selected."""
        return self.speed in BAUDS

    @property
    def baud(self) -> int:
        """The speed of the data: that of mode C or B, or 300 (mode A)."""
        return BAUDS.get(self.speed) or _BAUDS_B.get(self.speed, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSelect:
    """``ACK V Z Y``: procedure, speed, and what is wanted: ``0`` data readout, ``1`` programming."""

    speed: str
    procedure: str = "0"
    wanted: str = "0"

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """From one line with its end; DecodeError for anything else."""
        found = _match(_OPTION, octets, "option select")
        return cls(procedure=found[1], speed=found[2], wanted=found[3])

    def encode(self) -> bytes:
        """The octets; LocalProtocolError for what does not fit."""
        return _sent(_OPTION, f"\x06{self.procedure}{self.speed}{self.wanted}\r\n", "option select")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """One value: what it is of (empty: a further value of the one before), its text, its unit if any."""

    address: str
    value: str
    unit: str = ""

    @property
    def number(self) -> Decimal | None:
        """The value as a number; None if it is none."""
        try:
            found = Decimal(self.value)
        except InvalidOperation:
            return None
        return found if found.is_finite() else None

    def encode(self) -> str:
        """``address(value*unit)``."""
        return f"{self.address}({self.value}{'*' if self.unit else ''}{self.unit})"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataMessage:
    """A data readout: the data sets of each line."""

    lines: tuple[tuple[DataSet, ...], ...]

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """From STX to the check character.

        DecodeError: ``bcc`` when the check character does not fit, ``truncated`` without its ends, else ``data-set``.
        """
        plain = octets.translate(_STRIP_PARITY)
        if len(plain) < len(_END) + 3 or plain[0] != STX or plain[-2] != ETX:
            raise DecodeError("a data message goes from STX to ETX and a check character", 0, "truncated")
        if bcc(plain[1:-1]) != plain[-1]:
            raise DecodeError("the check character does not fit", len(plain) - 1, "bcc")
        text = plain[1:-2].decode("ascii")
        if not text.endswith(_END):
            raise DecodeError("a data block ends in '!'", len(text), "truncated")
        body = text[: -len(_END)]
        if not body:
            return cls(lines=())
        if not body.endswith("\r\n"):
            raise DecodeError("a line has no end", len(body), "data-set")
        lines, at = [], 1
        for line in body[:-2].split("\r\n"):
            lines.append(_line(line, at))
            at += len(line) + 2
        return cls(lines=tuple(lines))

    def encode(self) -> bytes:
        """From STX to the check character; LocalProtocolError for a data set that cannot be sent."""
        for one in self.sets:
            _sent(_SET, one.encode(), "data set")
        text = "".join("".join(one.encode() for one in line) + "\r\n" for line in self.lines)
        body = f"{text}{_END}".encode("ascii") + bytes((ETX,))
        return bytes((STX,)) + body + bytes((bcc(body),))

    @property
    def sets(self) -> tuple[DataSet, ...]:
        """All data sets in order."""
        return tuple(one for line in self.lines for one in line)

    def find(self, address: str) -> DataSet | None:
        """The first data set of that address, or None."""
        return next((one for one in self.sets if one.address == address), None)


def _line(line: str, at: int) -> tuple[DataSet, ...]:
    found, place = [], 0
    while place < len(line):
        match = _SET.match(line, place)
        if match is None:
            raise DecodeError("no data set", at + place, "data-set")
        found.append(DataSet(address=match[1], value=match[2], unit=match[3] or ""))
        place = match.end()
    return tuple(found)


def _sent(pattern: re.Pattern[str], text: str, name: str) -> bytes:
    if not pattern.fullmatch(text) or not text.isascii():
        raise LocalProtocolError(f"{text!r} cannot be sent as {name}")
    return text.encode("ascii")
