"""The scrambling of Diehl PRIOS, undone with the key that the user has."""

from __future__ import annotations

import pytest

from meterway.base.errors import DecodeError, SecurityError
from meterway.mapping.drivers.transforms import prios
from meterway.stacks.mbus.telegram import Telegram, decode

KEY = bytes.fromhex("0011223344556677")


def telegram(payload: str) -> Telegram:
    head = bytes.fromhex("44A511780778563412A2")
    body = head + bytes.fromhex(payload)
    return decode(bytes((len(body),)) + body)


def scrambled(payload: str, key: bytes = KEY) -> bytes:
    """A PRIOS payload of plain octets; scrambling twice gives the octets back."""
    plain = bytes.fromhex(payload)
    frame = telegram(payload)
    address = bytes.fromhex("A511780778563412A2")
    register = 0
    for place in range(0, 20, 4):
        register ^= int.from_bytes((key + address + plain[:3])[place : place + 4], "big")
    out = bytearray(plain[:4])
    for octet in plain[4:]:
        for _ in range(8):
            bit = (register >> 31 ^ register >> 11 ^ register >> 2 ^ register >> 1) & 1
            register = (register * 2 + bit) % 2**32
        out.append(octet ^ register % 256)
    assert frame.kind == "manufacturer"
    return bytes(out)


@pytest.mark.covers("IF-M")
def test_the_key_of_the_user_opens_a_prios_block() -> None:
    plain = "211A00134BEEAE02005DA00200C124"
    octets = scrambled(plain)
    assert prios(octets, telegram(octets.hex()), [bytes(16), bytes(8), KEY]).hex().upper() == plain


def test_another_key_does_not_open_it() -> None:
    octets = scrambled("211A00134BEEAE02005DA00200C124")
    with pytest.raises(SecurityError, match="no key of 8 octets fits"):
        prios(octets, telegram(octets.hex()), [bytes(8), bytes(16)])


def test_a_block_without_scrambled_octets_is_refused() -> None:
    with pytest.raises(DecodeError, match="more than four"):
        prios(b"\1\2\3\4", telegram("01020304"), [KEY])
