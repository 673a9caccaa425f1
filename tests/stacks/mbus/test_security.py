"""Security modes both ways: what is sealed opens, and a wrong key says which check failed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.base.errors import LocalProtocolError, SecurityError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.afl import Afl
from meterway.stacks.mbus.security import CounterGuard, derive_key, open_payload, seal_payload
from meterway.stacks.mbus.tpl import Tpl

METER = Address(manufacturer=0x2C2D, ident="12345678", version=1, device_type=7)
KEY = bytes(range(16))
EXTENSIONS = {5: b"", 7: b"\x10", 8: b"\x10", 9: b"\x10", 10: b"\x10\x01"}
CHECKS = {5: "2F2F", 7: "cmac", 8: "cmac", 9: "gcm-tag", 10: "ccm-tag"}


def header(mode: int, counter: int = 9) -> tuple[Tpl, Afl | None]:
    tpl = Tpl(
        ci=0x7A,
        header="short",
        access=42,
        config=mode << 8,
        extension=EXTENSIONS[mode],
        counter=counter if mode in (8, 9, 10) else None,
    )
    return tpl, Afl(message_control=0x25, counter=counter) if mode in (7, 8) else None


@pytest.mark.covers("IF-M", "SEC-04")
@settings(max_examples=40)
@given(st.sampled_from([5, 7, 8, 9, 10]), st.binary(min_size=1, max_size=120), st.booleans())
def test_what_is_sealed_opens_with_its_key_and_names_the_check_with_another(
    mode: int, payload: bytes, from_meter: bool
) -> None:
    tpl, afl = header(mode)
    sealed = seal_payload(tpl, payload, KEY, sender=METER, afl=afl, from_meter=from_meter)
    plain, protection = open_payload(sealed.tpl, sealed.body, KEY, sender=METER, afl=sealed.afl, from_meter=from_meter)
    assert payload in plain
    assert CHECKS[mode] in protection.checks
    with pytest.raises(SecurityError) as refusal:
        open_payload(sealed.tpl, sealed.body, b"\xaa" * 16, sender=METER, afl=sealed.afl, from_meter=from_meter)
    assert refusal.value.check == CHECKS[mode]


@pytest.mark.parametrize("mode", [7, 8, 9, 10])
def test_an_altered_octet_of_an_authenticated_message_is_found(mode: int) -> None:
    tpl, afl = header(mode)
    sealed = seal_payload(tpl, b"\x2f\x2f\x04\x13\x01\x02\x03\x04", KEY, sender=METER, afl=afl)
    altered = bytes((sealed.body[0] ^ 1,)) + sealed.body[1:]
    with pytest.raises(SecurityError) as refusal:
        open_payload(sealed.tpl, altered, KEY, sender=METER, afl=sealed.afl)
    assert refusal.value.check == CHECKS[mode]


@pytest.mark.parametrize("mode", [7, 8, 9, 10])
def test_a_message_of_the_meter_does_not_pass_as_one_of_its_partner(mode: int) -> None:
    tpl, afl = header(mode)
    sealed = seal_payload(tpl, b"\x2f\x2f\x04\x13\x01\x02\x03\x04", KEY, sender=METER, afl=afl, from_meter=True)
    with pytest.raises(SecurityError):
        open_payload(sealed.tpl, sealed.body, KEY, sender=METER, afl=sealed.afl, from_meter=False)


def test_the_captured_key_of_profile_d_is_derived() -> None:
    key = bytes.fromhex("BF902DD6DFADAFE83E4AE6832B5FA14C")
    derived = derive_key(key, constant=0, counter=0x0E578C, ident=bytes.fromhex("06038253"))
    assert derived.hex().upper() == "B3FAAED774AD70EAA3135A5B31242D13"


def test_modes_that_are_not_done_say_so() -> None:
    tpl = Tpl(ci=0x7A, header="short", config=13 << 8)
    with pytest.raises(SecurityError) as refusal:
        open_payload(tpl, bytes(16), KEY, sender=METER)
    assert refusal.value.check == "mode"
    with pytest.raises(LocalProtocolError):
        seal_payload(tpl, bytes(16), KEY, sender=METER)


def test_a_short_key_and_a_missing_counter_are_named() -> None:
    tpl, _ = header(5)
    with pytest.raises(SecurityError, match="16 octets"):
        open_payload(tpl, bytes(16), b"short", sender=METER)
    tpl, _ = header(7)
    with pytest.raises(SecurityError) as refusal:
        open_payload(tpl, bytes(16), KEY, sender=METER, afl=Afl(message_control=0x25, mac=bytes(8)))
    assert refusal.value.check == "counter"


@pytest.mark.covers("SEC-05")
def test_a_replayed_counter_is_refused_for_its_meter_only() -> None:
    guard = CounterGuard()
    guard.accept(METER, 5)
    with pytest.raises(SecurityError) as refusal:
        guard.accept(METER, 5)
    assert refusal.value.check == "counter"
    guard.accept(Address(manufacturer=1, ident="00000001", version=0, device_type=0), 5)
    guard.accept(METER, 6)
    assert CounterGuard(guard.last).last["KAM-12345678-01-07"] == 6
