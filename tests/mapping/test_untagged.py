"""Pushes whose descriptors carry no type tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.base.errors import DecodeError
from meterway.mapping.untagged import decode_untagged
from meterway.stacks.dlms import axdr

pytestmark = pytest.mark.covers("IF-H1")

PAIR = bytes.fromhex("0202" + "0003" + "0100010800ff" + "02" + "0600000005")


def test_pairs_of_descriptor_and_value_are_read() -> None:
    body = decode_untagged(b"\x02\x02" + b"\x16\x01" + b"\x01\x02" + PAIR + PAIR)
    pair = axdr.structure(axdr.octets(bytes.fromhex("0100010800ff")), axdr.u32(5))
    assert body == axdr.structure(axdr.enum(1), pair, pair)


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x01\x00", b"\x02\x01\x01\x01\x02\x03", b"\x02\x01\x01\x01" + PAIR + b"\x00", b"\x02\x01\x01\x02" + PAIR],
)
def test_what_is_of_another_form_is_refused(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_untagged(octets)


def test_every_cut_is_refused() -> None:
    wire.is_cut_refused(b"\x02\x01\x01\x01" + PAIR, decode_untagged)


@given(st.binary(max_size=60))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    wire.read_outcome(b"\x02\x02\x16\x01\x01" + octets, decode_untagged)
