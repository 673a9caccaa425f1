"""The transport layer of EN 13757-7: no, short or long header, status, and the configuration of security."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.ci import meaning_of
from meterway.stacks.mbus.making import positional

__all__ = ["EXTENSIONS", "Tpl", "decode_tpl", "status_words"]

EXTENSIONS: Final[dict[int, tuple[int, int]]] = {7: (1, 0), 8: (1, 4), 9: (1, 4), 10: (2, 4), 13: (1, 0)}
"""Octets of configuration field extension and message counter by security mode."""

_APPLICATION: Final = ("", "application busy", "any application error", "abnormal condition")


def status_words(status: int) -> tuple[str, ...]:
    """The status octet of a meter in words; empty if all is well."""
    words = [_APPLICATION[status & 3]] if status & 3 else []
    bits = ((0x04, "power low"), (0x08, "permanent error"), (0x10, "temporary error"))
    words += [word for bit, word in bits if status & bit]
    if status & 0xE0:
        words.append(f"manufacturer bits 0x{status & 0xE0:02X}")
    return tuple(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tpl:
    """A transport header; a short and a "none" one have no ``address``.

    ``config`` is the configuration field, ``extension`` what a security mode adds to it, ``counter`` the message
    counter of modes 8, 9 and 10.
    """

    ci: int
    header: str
    address: Address | None = None
    access: int = 0
    status: int = 0
    config: int = 0
    extension: bytes = b""
    counter: int | None = None

    @property
    def mode(self) -> int:
        """The security mode, bits 8 to 12 of the configuration field; 0 without a header."""
        return self.config >> 8 & 31

    @property
    def bidirectional(self) -> bool:
        """Whether the meter can be answered (modes 0 and 5, without an extended link layer)."""
        return bool(self.config & 0x8000)

    @property
    def accessible(self) -> bool:
        """Whether the meter listens after this message."""
        return bool(self.config & 0x4000)

    @property
    def blocks(self) -> int:
        """How many blocks of 16 octets are encrypted (modes 5 and 7)."""
        return self.config >> 4 & 15

    def encode(self) -> bytes:
        """The header with its CI."""
        out = bytes((self.ci,))
        if self.header == "none":
            return out
        if self.address is not None:
            out += self.address.to_wired()
        out += bytes((self.access, self.status)) + self.config.to_bytes(2, "little") + self.extension
        return out if self.counter is None else out + self.counter.to_bytes(4, "little")

    def associated_data(self) -> bytes:
        """What an AEAD mode authenticates of the header: CI, access number, status, configuration, extension."""
        return bytes((self.ci, self.access, self.status)) + self.config.to_bytes(2, "little") + self.extension


_tpl: Final = positional(Tpl)


def decode_tpl(data: bytes, start: int, *, extended: bool = True) -> tuple[Tpl, int]:
    """The header that begins at ``start`` (its CI) and the offset after it.

    ``extended`` says whether a security mode may add fields (on old wired meters the field is no configuration).
    """
    if start >= len(data):
        raise DecodeError("the CI field is missing", start, "truncated")
    ci = data[start]
    meaning = meaning_of(ci)
    if meaning is None:
        raise DecodeError(f"CI 0x{ci:02X} is reserved", start, "ci")
    if meaning.header == "none":
        return Tpl(ci=ci, header="none"), start + 1
    place = start + (9 if meaning.header == "long" else 1)
    if place + 4 > len(data):
        raise DecodeError("the transport header is cut off", start, "truncated")
    address = Address.from_wired(data[start + 1 : place]) if meaning.header == "long" else None
    config = data[place + 2] | data[place + 3] << 8
    access, status = data[place], data[place + 1]
    place += 4
    extension, counter = b"", None
    sizes = EXTENSIONS.get(config >> 8 & 31) if extended else None
    if sizes is not None:
        end = place + sum(sizes)
        if end > len(data):
            raise DecodeError("the configuration field extension is cut off", place, "truncated")
        extension = data[place : place + sizes[0]]
        counter = int.from_bytes(data[place + sizes[0] : end], "little") if sizes[1] else None
        place = end
    return _tpl(ci, meaning.header, address, access, status, config, extension, counter), place
