"""The keyring: what it secures it opens once, under the right key, from the right sender."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import LocalProtocolError, SecurityError
from meterway.stacks.neighbourhood.g3 import PROFILE as G3
from meterway.stacks.neighbourhood.ieee802154 import FrameKind, MacFrame, SecurityHeader
from meterway.stacks.neighbourhood.mesh import PROFILE as MESH
from meterway.stacks.neighbourhood.wpan.keyring import Keyring, first_counter

PAN, EUI = 0x781D, b"METER001"
FRAME = MacFrame(kind=FrameKind.DATA, sequence=1, pan=PAN, destination=0, source=5, payload=b"plain")


def pair(profile=MESH):
    one, two = Keyring(profile, PAN), Keyring(profile, PAN)
    for ring in (one, two):
        ring.set({0: bytes(16)}, 0)
    return one, two


def check(call, what):
    with pytest.raises(SecurityError) as caught:
        call()
    assert caught.value.check == what


@pytest.mark.covers("SEC-04", "SEC-05")
@pytest.mark.parametrize("profile", [G3, MESH], ids=["g3", "mesh"])
def test_a_frame_is_opened_once(profile):
    one, two = pair(profile)
    sealed = one.seal(FRAME, 5, EUI)
    assert b"plain" not in sealed.encode()
    assert two.open(sealed, 5, EUI) == b"plain"
    check(lambda: two.open(sealed, 5, EUI), "counter")
    other_short, other_eui = (6, EUI) if profile is G3 else (5, b"METER002")
    check(lambda: two.open(one.seal(FRAME, 5, EUI), other_short, other_eui), "tag")


def test_what_is_not_secured_as_asked_is_refused():
    one, two = pair()
    check(lambda: two.open(FRAME, 5, EUI), "policy")
    sealed = one.seal(FRAME, 5, EUI)
    for security in (SecurityHeader(level=1, counter=0, key_index=1), SecurityHeader(level=5, counter=0)):
        check(lambda security=security: two.open(replace(sealed, security=security), 5, EUI), "policy")
    two.set({1: bytes(16)}, 1)
    check(lambda: two.open(sealed, 5, EUI), "key")


def test_a_forged_counter_does_not_move_the_window():
    one, two = pair()
    sealed = one.seal(FRAME, 5, EUI)
    ahead = replace(sealed, security=replace(sealed.security, counter=2**32 - 1))
    check(lambda: two.open(ahead, 5, EUI), "tag")
    assert two.open(sealed, 5, EUI) == b"plain"


def test_the_same_key_again_does_not_open_what_was_taken():
    one, two = pair()
    sealed = one.seal(FRAME, 5, EUI)
    two.open(sealed, 5, EUI)
    two.clear()
    check(lambda: two.open(sealed, 5, EUI), "key")
    two.set({0: bytes(16)}, 0)
    check(lambda: two.open(sealed, 5, EUI), "counter")
    # Another key begins its own count.
    for ring in (one, two):
        ring.set({0: b"k" * 16}, 0)
    late = one.seal(FRAME, 5, EUI)
    assert two.open(late, 5, EUI) == b"plain"


def test_without_a_key_or_a_counter_nothing_is_sent():
    ring = Keyring(MESH, PAN)
    assert not ring.is_ready
    with pytest.raises(LocalProtocolError):
        ring.seal(FRAME, 5, EUI)
    ring.set({0: bytes(16)}, 0)
    assert ring.granted == ({0: bytes(16)}, 0)
    ring.begin(1e12)
    ring.seal(FRAME, 5, EUI)
    with pytest.raises(LocalProtocolError, match="used up"):
        ring.seal(FRAME, 5, EUI)


@given(st.floats(-1e9, 1e13), st.floats(0, 1e9))
def test_the_first_counter_follows_the_clock(now, later):
    assert 0 <= first_counter(now) <= 0xFFFFFFFF
    if now >= 1577836800 or now + later < 1577836800:
        assert first_counter(now + later) >= first_counter(now)
    assert first_counter(1577836800 + 3600) == 14400
