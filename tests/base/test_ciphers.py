"""The ciphers give the published figures, and a tag of 12 octets that does not verify is never opened."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.ciphers import Gcm12, aes_cbc_decrypt, aes_cbc_encrypt, aes_cmac, aes_ctr, aes_ecb_encrypt
from meterway.base.errors import SecurityError

# NIST SP 800-38A (the key and first two blocks of its AES-128 examples) and RFC 4493.
KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
PLAIN = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
IV = bytes(range(16))
COUNTER = bytes(range(0xF0, 0x100))

NONCE = st.binary(min_size=12, max_size=12)
KEYS = st.sampled_from([16, 24, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size))


def test_ecb_gives_the_published_blocks():
    expected = "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
    assert aes_ecb_encrypt(KEY, PLAIN).hex() == expected


def test_cbc_gives_the_published_blocks_and_takes_them_back():
    sealed = bytes.fromhex("7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2")
    assert aes_cbc_encrypt(KEY, IV, PLAIN) == sealed
    assert aes_cbc_decrypt(KEY, IV, sealed) == PLAIN


def test_ctr_gives_the_published_blocks_and_is_its_own_inverse():
    sealed = bytes.fromhex("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff")
    assert aes_ctr(KEY, COUNTER, PLAIN) == sealed
    assert aes_ctr(KEY, COUNTER, sealed) == PLAIN


@pytest.mark.parametrize(
    ("length", "tag"),
    [(0, "bb1d6929e95937287fa37d129b756746"), (16, "070a16b46b4d4144f79bdd9dd04a287c")],
)
def test_cmac_gives_the_published_tags(length, tag):
    assert aes_cmac(KEY, PLAIN[:length]).hex() == tag


@pytest.mark.covers("SEC-04")
@given(key=KEYS, nonce=NONCE, plain=st.binary(max_size=300), aad=st.binary(max_size=40))
def test_gcm_with_a_cut_tag_is_gcm(key, nonce, plain, aad):
    cipher = Gcm12(key)
    sealed = cipher.seal(nonce, plain, aad)
    assert sealed == AESGCM(key).encrypt(nonce, plain, aad)[:-4]
    assert cipher.open(nonce, sealed, aad) == plain
    assert cipher.crypt(nonce, sealed[:-12]) == plain
    assert cipher.tag(nonce, aad) == cipher.seal(nonce, b"", aad)


@pytest.mark.covers("SEC-04")
@given(data=st.data(), plain=st.binary(max_size=60), aad=st.binary(min_size=1, max_size=20))
def test_one_altered_bit_anywhere_is_refused(data, plain, aad):
    cipher = Gcm12(KEY)
    whole = aad + cipher.seal(bytes(12), plain, aad)
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    altered = bytearray(whole)
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SecurityError) as refusal:
        cipher.open(bytes(12), bytes(altered[len(aad) :]), bytes(altered[: len(aad)]))
    assert refusal.value.check == "tag"


@given(st.binary(max_size=11))
def test_what_is_shorter_than_a_tag_is_refused(sealed):
    with pytest.raises(SecurityError, match="shorter than its authentication tag"):
        Gcm12(KEY).open(bytes(12), sealed, b"")


@pytest.mark.parametrize("size", [0, 15, 17, 33])
def test_a_key_of_a_wrong_length_is_refused_by_name(size):
    with pytest.raises(SecurityError, match=f"not {size}") as refusal:
        Gcm12(bytes(size))
    assert refusal.value.check == "key"
