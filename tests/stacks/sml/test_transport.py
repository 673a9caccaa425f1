"""The transport of SML: escapes, fill octets and the CRC."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.crc import kermit
from meterway.base.errors import DecodeError
from meterway.stacks.sml.transport import BEGIN, ESCAPE, decode_transport, encode_transport

pytestmark = pytest.mark.covers("IF-H1")


# known answers, from the tests of sml-rs (MIT OR Apache-2.0)
@pytest.mark.parametrize(
    ("sent", "file"),
    [
        ("1b1b1b1b 01010101 12345678 1b1b1b1b 1a00b87b", "12345678"),
        ("1b1b1b1b 01010101 12345600 1b1b1b1b 1a0191a5", "123456"),
        ("1b1b1b1b 01010101 12 1b1b1b1b 1b1b1b1b 000000 1b1b1b1b 1a03be25", "121b1b1b1b"),
    ],
)
def test_transmissions_of_others_are_read_and_written(sent: str, file: str) -> None:
    octets = bytes.fromhex(sent)
    got = decode_transport(octets)
    assert (got.file, got.end, got.quirks) == (bytes.fromhex(file), len(octets), ())
    assert encode_transport(got.file) == octets


@given(st.binary(max_size=60) | st.lists(st.sampled_from([b"\x1b", b"\x1a", b"\x00", ESCAPE])).map(b"".join))
def test_every_file_comes_back(file: bytes) -> None:
    sent = encode_transport(file)
    assert len(sent) % 4 == 0 or ESCAPE in file
    got = decode_transport(sent)
    assert (got.file, got.end) == (file, len(sent))


def test_the_other_way_to_compute_the_crc_is_named() -> None:
    body = BEGIN + b"\x12\x34\x56\x78" + ESCAPE + b"\x1a\x00"
    assert decode_transport(body + kermit(body).to_bytes(2, "little")).quirks == ("kermit-crc",)


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("1b1b1b1b 01010101 12345679 1b1b1b1b 1a00b87b", "crc"),
        ("1b1b1b1b 01010101 12345600 1b1b1b1b 1a0491a5", "frame"),
        ("1b1b1b1b 02020202 12345600 1b1b1b1b 1a0191a5", "frame"),
        ("1b1b1b1b 01010101 12345600 1b1b1b1b 05060708 1b1b1b1b 1a0191a5", "escape"),
    ],
)
def test_a_damaged_transmission_is_refused(sent: str, kind: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_transport(bytes.fromhex(sent))
    assert caught.value.kind == kind


def test_a_transmission_that_breaks_off_says_so() -> None:
    got = decode_transport(BEGIN + b"\x12\x34")
    assert (got.file, got.quirks) == (b"\x12\x34", ("no-end",))


def test_fill_octets_that_are_not_zero_are_named() -> None:
    sent = encode_transport(b"\x12\x34\x56\x78")
    body = sent[:-3] + b"\x01"
    assert decode_transport(body + _crc(body)).quirks == ("fill-not-zero",)


def _crc(body: bytes) -> bytes:
    from meterway.base.crc import x25

    return x25(body).to_bytes(2, "little")
