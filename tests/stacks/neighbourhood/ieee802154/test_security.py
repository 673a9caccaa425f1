"""Frame security against annex C of IEEE 802.15.4-2006, and the replay window against a plain set."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import LocalProtocolError, SecurityError
from meterway.stacks.neighbourhood.ieee802154 import (
    FrameKind,
    MacFrame,
    ReplayWindow,
    SecurityHeader,
    nonce,
    open_frame,
    seal_frame,
)
from stacks.neighbourhood.ieee802154.test_frame import BEACON, COMMAND, EUI, frames

KEY = bytes(range(0xC0, 0xD0))


@pytest.mark.covers("IF-C", "SEC-04")
def test_the_beacon_of_the_norm_is_authenticated():
    frame = MacFrame.decode(BEACON)
    plain = bytes.fromhex("55cf000051525354")
    assert nonce(EUI, frame.security).hex() == "acde4800000000010000000502"
    assert open_frame(frame, KEY, EUI) == plain
    assert seal_frame(replace(frame, payload=plain), KEY, EUI).encode() == BEACON


def test_the_command_of_the_norm_is_encrypted():
    """C.2.3: the command identifier goes in clear and is authenticated, so it counts to the header here."""
    frame = MacFrame.decode(COMMAND)
    header = frame.header() + frame.payload[:1]
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    sealed = AESCCM(KEY, tag_length=8).encrypt(nonce(EUI, frame.security), b"\xce", header)
    assert header + sealed == COMMAND


@given(frames().filter(lambda frame: frame.security is not None), st.binary(min_size=16, max_size=16))
def test_what_is_sealed_opens_with_the_same_key_and_source_only(frame, key):
    sealed = seal_frame(frame, key, EUI)
    assert open_frame(MacFrame.decode(sealed.encode()), key, EUI) == frame.payload
    for wrong_key, wrong_source in ((bytes([key[0] ^ 1]) + key[1:], EUI), (key, bytes(8))):
        with pytest.raises(SecurityError) as caught:
            open_frame(sealed, wrong_key, wrong_source)
        assert caught.value.check == "tag"


def test_a_changed_header_does_not_verify():
    frame = MacFrame(
        kind=FrameKind.DATA, sequence=1, pan=1, destination=0, source=5, security=SecurityHeader(level=5, counter=9)
    )
    sealed = seal_frame(frame, KEY, EUI)
    with pytest.raises(SecurityError):
        open_frame(replace(sealed, destination=1), KEY, EUI)
    with pytest.raises(SecurityError, match="shorter"):
        open_frame(replace(sealed, payload=b"abc"), KEY, EUI)


def test_a_plain_frame_is_neither_sealed_nor_opened():
    frame = MacFrame(kind=FrameKind.DATA, sequence=1)
    with pytest.raises(LocalProtocolError):
        seal_frame(frame, KEY, EUI)
    with pytest.raises(SecurityError) as caught:
        open_frame(frame, KEY, EUI)
    assert caught.value.check == "policy"


@given(st.lists(st.integers(0, 3000), max_size=60))
def test_the_window_takes_each_counter_once(counters):
    window, taken, last = ReplayWindow(), set(), -1
    for counter in counters:
        is_new = counter not in taken and last - counter < 1024
        assert window.take(counter) is is_new
        taken.add(counter)
        last = max(last, counter)
