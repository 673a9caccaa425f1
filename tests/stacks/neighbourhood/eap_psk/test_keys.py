import pytest

from meterway.base.errors import SecurityError
from meterway.stacks.neighbourhood.eap_psk.keys import PskKeys


def test_keys_differ_and_are_not_shown():
    keys = PskKeys.of(bytes(range(16)))
    session = keys.session(bytes(16))
    parts = [keys.ak, keys.kdk, session.tek, *(session.msk[at : at + 16] for at in range(0, 64, 16))]
    parts += [session.emsk[at : at + 16] for at in range(0, 64, 16)]
    assert len(set(parts)) == 11
    assert repr(keys) == "PskKeys()"
    assert repr(session) == "SessionKeys()"
    assert keys.session(bytes(15) + b"\1") != session


def test_the_derivation_by_hand():
    """RFC 4764: E(K, E(K, 0) xor 1) and xor 2."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    def encrypt(key, block):
        return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)

    psk = bytes(range(16))
    once = encrypt(psk, bytes(16))
    one, two = (once[:15] + bytes([once[15] ^ number]) for number in (1, 2))
    keys = PskKeys.of(psk)
    assert (keys.ak, keys.kdk) == (encrypt(psk, one), encrypt(psk, two))


def test_the_key_of_the_interoperability_tests_of_g3():
    keys = PskKeys.of(bytes.fromhex("ab10341145111bc3c12de8ff11142204"))
    assert keys.kdk.hex() == "97405263d14cd0990cc652b97745f2db"


def test_a_key_of_another_length_is_refused():
    with pytest.raises(SecurityError) as caught:
        PskKeys.of(b"short")
    assert caught.value.check == "key"
