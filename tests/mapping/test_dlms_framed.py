"""DLMS APDUs in every frame that carries them; ``test_telegram`` has those of real meters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meterway.base.errors import DecodeError
from meterway.mapping.dlms import DlmsDecoder
from meterway.mapping.dlms_framed import (
    decode_apdus,
    decode_cosem_data,
    decode_dlms_mbus,
    decode_hdlc,
    decode_llc,
    decode_wrapper,
    is_cosem_data,
    is_frame_without_flag,
)
from meterway.model.telegram import DecodedTelegram
from meterway.stacks.dlms.hdlc.frame import encode_frame

pytestmark = pytest.mark.covers("IF-H1", "IF-I")

PUSH = bytes.fromhex("0f40000000000101020309060100010700ff060000067d02020f00161b")
FRAME = encode_frame(b"\x03\x21", 0x13, b"\xe6\xe7\x00" + PUSH)
INSIDE = b"\x53\xff\x10\x01\x67" + PUSH
WIRED = bytes((0x68, len(INSIDE), len(INSIDE), 0x68)) + INSIDE + bytes((sum(INSIDE) & 0xFF, 0x16))


@pytest.mark.parametrize(
    ("decode", "octets", "layer"),
    [
        (decode_apdus, PUSH, "data-notification"),
        (decode_llc, b"\xe6\xe7\x00" + PUSH, "llc"),
        (decode_wrapper, b"\x00\x01\x00\x01\x00\x10" + len(PUSH).to_bytes(2, "big") + PUSH, "wrapper"),
        (decode_hdlc, FRAME, "hdlc"),
        (decode_hdlc, FRAME[1:], "hdlc"),
        (decode_dlms_mbus, WIRED, "m-bus"),
        (decode_cosem_data, PUSH[6:], "cosem-data"),
    ],
)
def test_the_same_push_is_read_from_every_frame(
    decode: Callable[[bytes, DlmsDecoder], DecodedTelegram], octets: bytes, layer: str
) -> None:
    told = decode(octets, DlmsDecoder())
    assert [one.value for one in told.readings] == [1661]
    assert told.layers[0]["layer"] == layer


@pytest.mark.parametrize(
    ("decode", "octets", "kind"),
    [
        (decode_hdlc, FRAME[:-3] + b"\x00\x00\x7e", "fcs"),
        (decode_hdlc, b"\x7e\x7e", "hdlc"),
        (decode_dlms_mbus, WIRED[:-2] + b"\x00\x16", "checksum"),
        (decode_dlms_mbus, b"\x68\x01\x02\x68", "frame"),
        (decode_wrapper, b"\x00\x01\x00\x10\x00\x01\x00\x05\x60", "truncated"),
    ],
)
def test_a_damaged_frame_is_refused(
    decode: Callable[[bytes, DlmsDecoder], DecodedTelegram], octets: bytes, kind: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(octets, DlmsDecoder())
    assert caught.value.kind == kind


def test_what_begins_like_a_frame_or_a_value_is_looked_at_to_its_end() -> None:
    assert is_frame_without_flag(FRAME[1:])
    assert not is_frame_without_flag(FRAME[1:-2])
    assert is_cosem_data(PUSH[6:])
    assert not is_cosem_data(PUSH[6:-1])
