"""Encrypted P1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.ciphers import Gcm12
from meterway.base.errors import DecodeError, MeterwayError, SecurityError
from meterway.stacks.p1.encrypted import (
    PUBLIC_AUTH_KEY,
    EncryptedFrame,
    decrypt,
    decrypt_unverified,
    encrypt,
    frame_length,
)

pytestmark = pytest.mark.covers("IF-H1", "SEC-04")

KEY = bytes(range(16))
TITLE = b"MWY\x00\x00\x00\x00\x01"
PLAIN = b"/ABC5x\r\n\r\n1-0:1.7.0(1*kW)\r\n!\r\n"
FRAME = encrypt(PLAIN, KEY, system_title=TITLE, counter=7)


@given(st.binary(max_size=400), st.integers(0, 2**32 - 1))
def test_what_is_encrypted_is_decrypted(plain, counter):
    frame = encrypt(plain, KEY, system_title=TITLE, counter=counter)
    opened = decrypt(frame, KEY)
    assert (opened.telegram, opened.counter, opened.verified, opened.quirks) == (plain, counter, True, ())
    assert EncryptedFrame.decode(frame).encode() == frame
    assert frame_length(frame[:16]) == len(frame)


@pytest.mark.parametrize(("key", "auth_key"), [(bytes(16), PUBLIC_AUTH_KEY), (KEY, bytes(16))])
def test_a_wrong_key_is_refused_by_the_tag(key, auth_key):
    with pytest.raises(SecurityError) as caught:
        decrypt(FRAME, key, auth_key)
    assert caught.value.check == "tag"


@given(st.integers(0, len(FRAME) - 1), st.integers(1, 255))
def test_an_altered_octet_is_refused(place, change):
    octets = bytearray(FRAME)
    octets[place] ^= change
    if (place, octets[place]) == (11, 0x20):  # the control octet may drop the tag: nothing is proven then
        assert not decrypt(bytes(octets), KEY).verified
        return
    with pytest.raises((SecurityError, DecodeError)):
        decrypt(bytes(octets), KEY)


@given(st.binary(max_size=60))
def test_any_octets_are_opened_or_refused(octets):
    for candidate in (octets, b"\xdb\x08" + octets):
        with pytest.raises(MeterwayError):
            decrypt(candidate, KEY)


def test_a_frame_without_a_tag_is_opened_and_said_so():
    nonce = TITLE + (7).to_bytes(4, "big")
    frame = EncryptedFrame(system_title=TITLE, security_control=0x20, counter=7, sealed=Gcm12(KEY).crypt(nonce, PLAIN))
    opened = decrypt(frame.encode(), KEY)
    assert (opened.telegram, opened.verified, opened.quirks) == (PLAIN, False, ("no-tag",))


def test_a_tag_over_the_text_only_is_accepted_and_said_so():
    nonce = TITLE + (7).to_bytes(4, "big")
    sealed = Gcm12(KEY).seal(nonce, PLAIN, b"")
    frame = EncryptedFrame(system_title=TITLE, security_control=0x30, counter=7, sealed=sealed)
    assert decrypt(frame.encode(), KEY).quirks == ("tag-without-aad",)


def test_a_left_out_system_title_may_be_given():
    frame = EncryptedFrame.decode(FRAME)
    short = EncryptedFrame(
        system_title=b"", security_control=frame.security_control, counter=frame.counter, sealed=frame.sealed
    ).encode()
    assert decrypt(short, KEY, system_title=TITLE).telegram == PLAIN
    with pytest.raises(SecurityError) as caught:
        decrypt(short, KEY)
    assert caught.value.check == "system-title"


@pytest.mark.parametrize("control", [0x00, 0x10, 0x31, 0xB0])
def test_a_frame_that_is_not_plain_suite_0_encryption_is_refused(control):
    frame = EncryptedFrame(system_title=TITLE, security_control=control, counter=7, sealed=bytes(20))
    with pytest.raises(SecurityError) as caught:
        decrypt(frame.encode(), KEY)
    assert caught.value.check == "policy"


def test_the_length_of_a_frame_is_known_once_its_head_is_there():
    assert [frame_length(FRAME[:count]) for count in (0, 1, 2, 10)] == [None] * 4
    with pytest.raises(DecodeError):
        frame_length(b"\xdb\x09")
    with pytest.raises(DecodeError):
        frame_length(FRAME[:10] + b"\xff")


def test_a_frame_can_be_opened_without_its_tag_being_looked_at():
    sealed = encrypt(b"/MWY5", bytes(16), bytes(range(16)), system_title=b"MWY\x00\x00\x00\x00\x01", counter=3)
    opened = decrypt_unverified(sealed, bytes(16))
    assert (opened.telegram, opened.verified, opened.quirks) == (b"/MWY5", False, ("tag-not-verified",))
    with pytest.raises(SecurityError):
        decrypt_unverified(EncryptedFrame.decode(sealed).encode().replace(b"\x30", b"\x20", 1), bytes(16))
