"""Readouts as they were captured: whole, without their ends, with parity bits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.iec21.messages import bcc
from meterway.stacks.iec21.readout import decode_readout, looks_like_readout

pytestmark = pytest.mark.covers("IF-H1", "IF-M")

LINES = b"F.F(00)\r\nC.1.0(00000000)\r\n1.8.0(000061.5*kWh)\r\n1.6.1(0.123*kW)(2406211230)\r\n(0.1)(0.2)\r\n!\r\n"
DATA = b"\x02" + LINES + b"\x03" + bytes((bcc(LINES + b"\x03"),))
WHOLE = b"/LGZ4ZMF100AC.M26\r\n" + DATA


def test_a_whole_readout_is_checked() -> None:
    told = decode_readout(WHOLE)
    assert (told.identification, told.is_checked, told.quirks) == ("LGZ4ZMF100AC.M26", True, ())
    assert [line.code for line in told.lines] == ["F.F", "C.1.0", "1.8.0", "1.6.1", ""]
    assert told.lines[3].values == ("0.123*kW", "2406211230")


@pytest.mark.parametrize("place", [1, 20, 40, len(DATA) - 1])
def test_an_altered_readout_is_refused(place: int) -> None:
    octets = bytearray(WHOLE)
    octets[len(WHOLE) - len(DATA) + place] ^= 1
    with pytest.raises(DecodeError) as caught:
        decode_readout(bytes(octets))
    assert caught.value.kind == "bcc"


@pytest.mark.parametrize(
    ("octets", "quirks"),
    [
        (DATA, ("no-identification",)),
        (LINES, ("no-identification",)),
        (LINES[:-3], ("no-identification", "no-end-mark")),
        (b"/LGZ4ZMF100AC.M26\r\n\r\n" + LINES, ()),
        (WHOLE[:-2], ("no-check-character",)),
        (LINES.replace(b"F.F(00)", b"???"), ("no-identification", "unreadable-line")),
    ],
)
def test_what_a_capture_lost_is_named(octets: bytes, quirks: tuple[str, ...]) -> None:
    told = decode_readout(octets)
    assert told.quirks == quirks
    assert any(line.values == ("000061.5*kWh",) for line in told.lines)


def test_parity_bits_are_taken_off() -> None:
    octets = bytes(octet | (octet.bit_count() & 1) << 7 for octet in WHOLE)
    told = decode_readout(octets)
    assert (told.is_checked, told.quirks) == (True, ("parity-bit",))


@pytest.mark.parametrize(
    ("octets", "is_readout"),
    [
        (WHOLE, True),
        (LINES, True),
        (b"1.8.0(1)\r\n!\r\n", True),
        (b"1-1:F.F(00)\r\n1-1:1.8.0(1)\r\n", True),
        (b"/ISK5\\2MT382-1000\r\n\r\n1-0:1.8.1(12345.678*kWh)\r\n!\r\n", False),
        (b"1-0:1.8.1(12345.678*kWh)\r\n!\r\n", False),
        (b"/" + b"a" * 300, False),
        (b"\x02\x03", False),
        (b"", False),
    ],
)
def test_a_readout_is_told_from_a_telegram(octets: bytes, is_readout: bool) -> None:
    assert looks_like_readout(octets) is is_readout


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    looks_like_readout(octets)
    try:
        assert decode_readout(octets).lines
    except DecodeError as error:
        assert error.kind in ("bcc", "readout")


@given(st.text("FCLP0123456789.()*:-!\r\n\x02\x03 kWh/", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    test_any_octets_are_read_or_refused.hypothesis.inner_test(text.encode())
