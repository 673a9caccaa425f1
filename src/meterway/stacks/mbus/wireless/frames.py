"""Radio frames of EN 13757-4 in format A and B.

Receivers pass frames on with all check sums, with some, or with none: which it is is found by trial.
Format A has a check after 10 octets and after every 16; its length octet does not count them. Format B has one check
for the first 126 octets (all of a short frame) and one for the rest; its length octet counts them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

from meterway.base.crc import en13757
from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.mbus.address import Address

__all__ = ["C_FIELDS", "RadioFrame", "decode_radio", "encode_radio", "from_meter"]

C_FIELDS: Final[dict[int, str]] = {
    0x00: "ACK",
    0x06: "CNF-IR",
    0x08: "RSP-UD",
    0x18: "RSP-UD",
    0x28: "RSP-UD",
    0x38: "RSP-UD",
    0x40: "SND-NKE",
    0x43: "SND-UD2",
    0x44: "SND-NR",
    0x45: "SND-UD3",
    0x46: "SND-IR",
    0x47: "ACC-NR",
    0x48: "ACC-DMD",
    0x53: "SND-UD",
    0x73: "SND-UD",
    0x5A: "REQ-UD1",
    0x7A: "REQ-UD1",
    0x5B: "REQ-UD2",
    0x7B: "REQ-UD2",
}

_FROM_METER: Final = frozenset((0x00, 0x08, 0x18, 0x28, 0x38, 0x44, 0x46, 0x47, 0x48))
_HEAD: Final = 10
_BLOCK: Final = 16
_B_FIRST: Final = 126


def from_meter(control: int) -> bool:
    """Whether a frame with this control field is sent by a meter (bit 7 of a relayed frame does not matter)."""
    return control & 0x7F in _FROM_METER


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioFrame:
    """A radio frame without length and checks; ``body`` begins with the first CI field.

    ``coding`` says how it was found: ``A``, ``B``, ``B partly`` or ``bare`` (no checks left in).
    """

    control: int
    address: Address
    body: bytes
    coding: str = "bare"
    quirks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The control field in words."""
        return C_FIELDS.get(self.control & 0x7F) or f"C 0x{self.control:02X}"


def _strip_a(octets: bytes, length: int) -> bytes | None:
    """The frame without the checks of format A; None if they are not there, DecodeError(crc) if one is wrong."""
    blocks = (length + 1 - _HEAD + _BLOCK - 1) // _BLOCK
    if length < _HEAD - 1 or len(octets) < length + 3 + 2 * blocks:
        return None
    if en13757(octets[:_HEAD]) != octets[_HEAD] << 8 | octets[_HEAD + 1]:
        if _checked(octets[_HEAD + 2 : _HEAD + _BLOCK + 4]):  # the second block says that there are checks
            raise DecodeError("the check of the first block is wrong", 0, "crc")
        return None
    parts = [octets[:_HEAD]]
    place, left = _HEAD + 2, length + 1 - _HEAD
    while left:
        size = min(left, _BLOCK)
        block = octets[place : place + size]
        if en13757(block) != octets[place + size] << 8 | octets[place + size + 1]:
            raise DecodeError("the check of a block is wrong", place, "crc")
        parts.append(block)
        place += size + 2
        left -= size
    return b"".join(parts)


def _checked(part: bytes) -> bool:
    return len(part) > 2 and en13757(part[:-2]) == part[-2] << 8 | part[-1]


def _strip_b(octets: bytes) -> tuple[bytes, str] | None:
    """The frame without the checks of format B that are there; None if there are none."""
    if len(octets) <= _B_FIRST + 2:
        return (octets[:-2], "B") if _checked(octets) else None
    if not _checked(octets[: _B_FIRST + 2]):
        return None
    head, rest = octets[:_B_FIRST], octets[_B_FIRST + 2 :]
    if _checked(rest):
        return head + rest[:-2], "B"
    return head + rest, "B partly"


def decode_radio(octets: bytes, *, trust_length: bool = True) -> RadioFrame:
    """A frame as a receiver gives it, from its length octet on.

    DecodeError if it is cut off or a check of it fails; octets behind the frame are a quirk (``trailing-octets``).
    ``trust_length`` false takes all octets for the frame, whatever it announces (quirk ``wrong-length``).
    """
    if len(octets) < _HEAD + 1:
        raise DecodeError("a radio frame has at least 11 octets", len(octets), "truncated")
    length = octets[0]
    if length < _HEAD:
        raise DecodeError(f"a radio frame has a length of at least 10, not {length}", 0, "length")
    plain, coding, quirks = _bare(octets, length) if trust_length else (octets, "bare", ("wrong-length",))
    return RadioFrame(
        control=plain[1], address=Address.from_radio(plain[2:_HEAD]), body=plain[_HEAD:], coding=coding, quirks=quirks
    )


def _bare(octets: bytes, length: int) -> tuple[bytes, str, tuple[str, ...]]:
    if len(octets) > length + 1:
        plain = _strip_a(octets, length)
        if plain is not None:
            return plain, "A", ()
    exact = octets[: length + 1]
    stripped = _strip_b(exact) if len(octets) >= length - 1 else None
    if stripped is not None and (len(octets) > length or (stripped[1] == "B partly" and len(octets) == length - 1)):
        return *stripped, () if len(octets) <= length + 1 else ("trailing-octets",)
    if len(octets) < length + 1:
        raise DecodeError(f"the frame announces {length} octets and has {len(octets) - 1}", len(octets), "truncated")
    return exact, "bare", () if len(octets) == length + 1 else ("trailing-octets",)


def encode_radio(control: int, address: Address, body: bytes, coding: str = "bare") -> bytes:
    """A frame ``bare``, in format ``A`` or in format ``B``; LocalProtocolError if it is too long."""
    head = bytes((control,)) + address.to_radio()
    size = len(head) + len(body)
    if coding == "B":
        size += 2 if size + 1 <= _B_FIRST else 4
    if size > 255:
        raise LocalProtocolError(f"a radio frame has at most 255 octets, not {size}")
    frame = bytes((size,)) + head + body
    if coding == "bare":
        return frame
    if coding == "A":
        cuts = [0, *range(_HEAD, len(frame), _BLOCK), len(frame)]
    elif coding == "B":
        cuts = [0, len(frame)] if len(frame) <= _B_FIRST else [0, _B_FIRST, len(frame)]
    else:
        raise LocalProtocolError(f"{coding!r} is not a frame format: bare, A or B")
    parts = (frame[start:end] for start, end in itertools.pairwise(cuts))
    return b"".join(part + en13757(part).to_bytes(2, "big") for part in parts)
