"""The extended link layer: four types, encryption, payload CRC."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError, SecurityError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.ell import Ell, decode_ell

METER = Address(manufacturer=0x2C2D, ident="12345678", version=1, device_type=7)
KEY = bytes(range(16))


@given(st.sampled_from([0x8C, 0x8D, 0x8E, 0x8F]), st.binary(min_size=14, max_size=20))
def test_every_type_leads_back_to_its_octets(ci: int, rest: bytes) -> None:
    octets = bytes((ci,)) + rest
    ell, end = decode_ell(octets, 0)
    assert ell.encode() == octets[:end]


@pytest.mark.covers("IF-M", "SEC-04")
@given(st.binary(max_size=80), st.integers(0, 0x1FFFFFFF), st.integers(0, 255))
def test_an_encrypted_payload_opens_with_its_key_only(payload: bytes, session: int, control: int) -> None:
    ell = Ell(ci=0x8D, control=control, access=1, session=1 << 29 | session)
    sealed = ell.seal(payload, KEY, METER)
    assert ell.open(sealed, KEY, METER) == payload
    with pytest.raises(SecurityError) as refusal:
        ell.open(sealed, bytes(16), METER)
    assert refusal.value.check == "ell-crc"


def test_a_repeater_that_sets_the_hop_bit_does_not_change_the_key_stream() -> None:
    sent = Ell(ci=0x8D, control=0x20, access=1, session=1 << 29)
    relayed = Ell(ci=0x8D, control=0x32, access=1, session=1 << 29)
    assert relayed.open(sent.seal(b"abc", KEY, METER), KEY, METER) == b"abc"


def test_a_plain_session_still_has_its_payload_check() -> None:
    ell = Ell(ci=0x8D, control=0x20, access=1, session=5)
    assert not ell.encrypted
    assert ell.open(ell.seal(b"abc", None, METER), None, METER) == b"abc"


def test_an_encrypted_session_without_a_key_is_refused() -> None:
    with pytest.raises(SecurityError, match="wants a key"):
        Ell(ci=0x8D, control=0, access=0, session=1 << 29).seal(b"", None, METER)


@pytest.mark.parametrize("octets", ["8C20", "8D201122", "8E20112D2C", "8F20112D2C785634121B1600"])
def test_a_cut_header_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError, match="cut off"):
        decode_ell(bytes.fromhex(octets), 0)


def test_the_type_of_variable_length_is_refused_by_its_name() -> None:
    with pytest.raises(DecodeError, match="CI 0x86") as refusal:
        decode_ell(bytes.fromhex("86200102030405"), 0)
    assert refusal.value.kind == "ell"


def test_fields_that_a_type_does_not_have_are_refused() -> None:
    with pytest.raises(LocalProtocolError):
        Ell(ci=0x8C, control=0, access=0, session=1).encode()
    with pytest.raises(LocalProtocolError):
        Ell(ci=0x8E, control=0, access=0).encode()


def test_the_control_field_says_whether_the_sender_can_be_answered() -> None:
    asleep, listening = (Ell(ci=0x8C, control=control, access=0) for control in (0x20, 0x84))
    assert (asleep.bidirectional, asleep.accessible, asleep.synchronous) == (False, False, True)
    assert (listening.bidirectional, listening.accessible, listening.synchronous) == (True, True, False)
