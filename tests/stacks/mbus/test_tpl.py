"""The transport header: none, short, long, with what security modes add."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.tpl import decode_tpl, status_words


@given(st.sampled_from([0x72, 0x7A, 0x78, 0x5B, 0x5A, 0x8A, 0x80, 0x7B]), st.binary(min_size=18, max_size=24))
def test_every_header_leads_back_to_its_octets(ci: int, rest: bytes) -> None:
    octets = bytes((ci,)) + rest
    header, end = decode_tpl(octets, 0)
    assert header.encode() == octets[:end]


def test_a_mode_with_a_message_counter_extends_the_header() -> None:
    header, end = decode_tpl(bytes.fromhex("7A3010FF2A10018C570E00") + b"payload", 0)
    assert (header.mode, header.extension.hex(), header.counter, end) == (10, "1001", 0x0E578C, 11)
    assert header.associated_data().hex().upper() == "7A3010FF2A1001"


@pytest.mark.parametrize("octets", ["", "72", "7A0102", "72" + "00" * 11, "7A00000007", "7A0000000A1000"])
def test_a_cut_header_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        decode_tpl(bytes.fromhex(octets), 0)


def test_a_reserved_ci_is_named() -> None:
    with pytest.raises(DecodeError, match="CI 0x00 is reserved"):
        decode_tpl(b"\0", 0)


def test_the_status_is_told_in_words() -> None:
    assert status_words(0) == ()
    assert status_words(0x37) == ("abnormal condition", "power low", "temporary error", "manufacturer bits 0x20")


def test_the_configuration_says_whether_the_meter_can_be_answered() -> None:
    header, _ = decode_tpl(bytes.fromhex("7A010000C5"), 0)
    assert (header.bidirectional, header.accessible, header.mode) == (True, True, 5)
