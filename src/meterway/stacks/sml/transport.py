"""The transport of SML over a line, version 1: escapes, fill octets and a CRC around an SML file.

Begin 1B1B1B1B 01010101, end 1B1B1B1B 1A, the number of fill octets, the CRC (low octet first, over all before it). Four
octets 1B within the file are sent twice. Source: SML 1.04, transport protocol version 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.crc import kermit, x25
from meterway.base.errors import DecodeError

__all__ = ["BEGIN", "ESCAPE", "Transmission", "decode_transport", "encode_transport"]

ESCAPE: Final = b"\x1b\x1b\x1b\x1b"
BEGIN: Final = ESCAPE + b"\x01\x01\x01\x01"
_END: Final = 0x1A
_MOST_FILL: Final = 3
_TAIL: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmission:
    """The SML file in a transmission, and where the transmission ends.

    Quirks: ``kermit-crc`` (a CRC that begins with 0 and is not inverted, as some meters compute it), ``no-end`` (the
    transmission breaks off; nothing but their own CRCs protects its messages), ``fill-not-zero``.
    """

    file: bytes
    end: int
    fill: int = 0
    quirks: tuple[str, ...] = ()


def decode_transport(octets: bytes, start: int = 0) -> Transmission:
    """The transmission that begins at ``start``; DecodeError(frame, escape, crc) with its place."""
    if octets[start : start + 8] != BEGIN:
        raise DecodeError("an SML transmission begins with 1B1B1B1B 01010101", start, "frame")
    file, place = _unescaped(octets, start + 8)
    if place < 0:
        return Transmission(file=file, end=len(octets), quirks=("no-end",))
    fill = octets[place + 5]
    if fill > min(_MOST_FILL, len(file)):
        raise DecodeError(f"an SML transmission has at most {_MOST_FILL} fill octets, not {fill}", place + 5, "frame")
    quirks = _checked(octets[start : place + 6], int.from_bytes(octets[place + 6 : place + 8], "little"), place + 6)
    if any(file[len(file) - fill :]):
        quirks = (*quirks, "fill-not-zero")
    return Transmission(file=file[: len(file) - fill], end=place + _TAIL, fill=fill, quirks=quirks)


def _unescaped(octets: bytes, start: int) -> tuple[bytes, int]:
    """What stands before the escape that ends, and the place of that escape; -1 if it never comes."""
    parts: list[bytes] = []
    while True:
        place = octets.find(ESCAPE, start)
        if place < 0 or len(octets) - place < _TAIL:
            return b"".join((*parts, octets[start:])), -1
        # up to three octets 1B may be the last of the file: the end stands on a multiple of four octets
        while octets[place + 4] == 0x1B and octets[place + 4 : place + 8] != ESCAPE and len(octets) - place > _TAIL:
            place += 1
        parts.append(octets[start:place])
        if octets[place + 4] == _END:
            return b"".join(parts), place
        if octets[place + 4 : place + 8] != ESCAPE:
            raise DecodeError(f"{octets[place + 4 : place + 8].hex()} is no SML escape", place + 4, "escape")
        parts.append(ESCAPE)
        start = place + 8


def _checked(covered: bytes, sent: int, place: int) -> tuple[str, ...]:
    if x25(covered) == sent:
        return ()
    if kermit(covered) == sent:
        return ("kermit-crc",)
    raise DecodeError(f"the CRC of the SML transmission does not match: {x25(covered):04X} computed", place, "crc")


def encode_transport(file: bytes) -> bytes:
    """An SML file as it is sent."""
    fill = -len(file) % 4
    body = BEGIN + file.replace(ESCAPE, ESCAPE * 2) + bytes(fill) + ESCAPE + bytes((_END, fill))
    return body + x25(body).to_bytes(2, "little")
