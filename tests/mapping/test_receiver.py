"""Frames in the messages of a receiver. The CRC is that of a recorded answer of the device, ``A58102004CA3``."""

from __future__ import annotations

from typing import Any

import pytest

from meterway.base.crc import x25
from meterway.base.errors import DecodeError
from meterway.mapping.receiver import radio_frame_of
from meterway.mapping.telegram import decode_telegram

pytestmark = pytest.mark.covers("IF-M")

FRAME = bytes.fromhex("44AE4C7856341201077A010000000413e8030000")


def message(flags: int, frame: bytes = FRAME) -> bytes:
    tail = bytes(4) * bool(flags & 0x20) + b"\x55" * bool(flags & 0x40)
    inside = bytes((flags | 2, 3, len(frame))) + frame + tail
    return b"\xa5" + inside + (x25(inside).to_bytes(2, "little") if flags & 0x80 else b"")


def test_the_crc_is_that_of_the_device() -> None:
    assert x25(bytes.fromhex("810200")).to_bytes(2, "little").hex() == "4ca3"


@pytest.mark.parametrize("flags", [0x00, 0x20, 0x40, 0x80, 0xE0])
def test_the_frame_is_taken_out_whatever_stands_behind_it(flags: int) -> None:
    assert radio_frame_of(message(flags)) == bytes((len(FRAME),)) + FRAME
    answer: Any = decode_telegram(message(flags)).as_json()
    assert (answer["device"]["id"], answer["readings"][0]["value"]) == ("12345678", 1.0)
    assert answer["layers"][0] == {"layer": "receiver", "kind": "iM871A"}


def test_a_wrong_crc_is_refused_and_other_octets_are_none() -> None:
    altered = bytearray(message(0x80))
    altered[20] ^= 1
    with pytest.raises(DecodeError):
        radio_frame_of(bytes(altered))
    answer: Any = decode_telegram(bytes(altered)).as_json()
    assert answer["error"]["kind"] == "crc"
    for octets in (b"", b"\xa5", message(0)[:-1], message(0) + b"\x00", b"\xa5\x81\x02\x00\x4c\xa3"):
        assert radio_frame_of(octets) is None
