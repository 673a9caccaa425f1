"""Firmware is the maker's, whole and what it says it is, or it is refused with the reason."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from lnap_firmware import MAKER, made, pem, permit
from meterway.base.errors import ConfigError, SecurityError
from meterway.interfaces.mbus.firmware import is_older, maker_key, opened, permitted

KEY = maker_key(pem(MAKER), field="maker")


@pytest.mark.covers("UC-IN-05")
def test_a_signed_image_is_opened() -> None:
    found = opened(made(b"V2", b"content"), b"V2", KEY)
    assert (found.identification, found.content, len(found.signature)) == (b"V2", b"content", 64)


@pytest.mark.covers("UC-IN-05", "SEC-05")
@pytest.mark.parametrize(
    ("image", "name", "check"),
    [
        (made(b"V2", b"x"), b"V3", "identification"),
        (made(b"V2", b"x", maker=ec.generate_private_key(ec.SECP256R1())), b"V2", "signature"),
        (made(b"V2", b"x")[:-1], b"V2", "signature"),
        (b"short", b"V2", "image"),
        (b"XXXX" + made(b"V2", b"x")[4:], b"V2", "image"),
        (made(b"", b"x"), b"", "identification"),
    ],
    ids=["another-name", "another-maker", "cut", "short", "no-image", "no-name"],
)
def test_anything_else_is_refused_with_its_reason(image: bytes, name: bytes, check: str) -> None:
    with pytest.raises(SecurityError) as caught:
        opened(image, name, KEY)
    assert caught.value.check == check


def test_without_a_maker_nothing_is_taken() -> None:
    with pytest.raises(SecurityError, match="no maker"):
        opened(made(b"V2", b"x"), b"V2", None)


@given(st.integers(0, 200), st.integers(1, 255))
def test_no_altered_octet_gets_through(place: int, mask: int) -> None:
    image = bytearray(made(b"V2", b"content of an image"))
    image[place % len(image)] ^= mask
    with pytest.raises(SecurityError):
        opened(bytes(image), b"V2", KEY)


def test_only_a_key_on_p_256_is_taken() -> None:
    for octets in (b"no key", pem(ec.generate_private_key(ec.SECP384R1()))):
        with pytest.raises(ConfigError, match="maker"):
            maker_key(octets, field="maker")
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    with pytest.raises(ConfigError, match="P-256"):
        maker_key(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), field="maker")


@given(st.binary(max_size=400), st.binary(max_size=20))
def test_no_octets_do_more_than_being_refused(octets: bytes, name: bytes) -> None:
    for image in (octets, b"MWLN" + octets):
        with pytest.raises(SecurityError):
            opened(image, name, KEY)


@pytest.mark.covers("SEC-08")
def test_versions_are_compared_as_numbers() -> None:
    ordered = ["firmware", "V1", "MWY-1.9", "MWY-1.10", "V2", "V2.0.1"]
    for place, one in enumerate(ordered):
        assert all(is_older(other, one) and not is_older(one, other) for other in ordered[:place])
    assert not is_older("V2", "X2")


@pytest.mark.covers("SEC-08")
@pytest.mark.parametrize(
    ("octets", "check"),
    [
        (permit(b"GW1", b"V1", 1000), ""),
        (permit(b"GW1", b"V1", 999), "policy"),
        (permit(b"GW2", b"V1", 2000), "identification"),
        (permit(b"GW1", b"V1", 2000, maker=ec.generate_private_key(ec.SECP256R1())), "signature"),
        (made(b"V1", b"x"), "image"),
        (b"MWLP", "image"),
        (permit(b"GW1", b"V1", 2000)[:-1], "signature"),
    ],
    ids=["good", "expired", "another-gateway", "another-maker", "an-image", "short", "cut"],
)
def test_a_permit_is_the_makers_for_one_gateway_and_a_while(octets: bytes, check: str) -> None:
    if not check:
        assert permitted(octets, "GW1", KEY, 1000.0) == b"V1"
        return
    with pytest.raises(SecurityError) as caught:
        permitted(octets, "GW1", KEY, 1000.0)
    assert caught.value.check == check


@given(st.binary(max_size=120))
def test_any_octets_are_no_permit(octets: bytes) -> None:
    with pytest.raises(SecurityError):
        permitted(b"MWLP" + octets, "GW1", KEY, 0.0)
    with pytest.raises(SecurityError):
        permitted(octets, "GW1", None, 0.0)
