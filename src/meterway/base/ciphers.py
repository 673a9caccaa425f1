"""Ciphers as the metering norms use them, on top of the ``cryptography`` library.

AES-GCM with the 96-bit tag of DLMS is done on ``AESGCM`` in two passes: encrypting the ciphertext
gives the plaintext back, encrypting that again gives the tag to compare. It costs less than half of a
``Cipher`` object made for each message.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.cmac import CMAC

from meterway.base.errors import SecurityError

__all__ = ["Gcm12", "aes_cbc_decrypt", "aes_cbc_encrypt", "aes_cmac", "aes_ctr", "aes_ecb_encrypt"]


class Gcm12:
    """AES-GCM under one key with tags cut to 12 octets (SP 800-38D). Any number may be held: each is only its key."""

    __slots__ = ("_key",)

    TAG = 12

    def __init__(self, key: bytes) -> None:
        if len(key) not in (16, 24, 32):
            raise SecurityError(f"an AES key has 16, 24 or 32 octets, not {len(key)}", "key")
        self._key = bytes(key)

    def seal(self, nonce: bytes, plain: bytes, aad: bytes) -> bytes:
        """Ciphertext followed by the 12-octet tag."""
        return _under(self._key)(nonce, plain, aad)[:-4]

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """Plaintext of ``sealed`` (ciphertext and 12-octet tag); SecurityError(tag) if it does not verify."""
        if len(sealed) < 12:
            raise SecurityError("the ciphertext is shorter than its authentication tag", "tag")
        encrypt = _under(self._key)
        plain = encrypt(nonce, sealed[:-12], None)[:-16]
        if not hmac.compare_digest(encrypt(nonce, plain, aad)[-16:-4], sealed[-12:]):
            raise SecurityError("the authentication tag does not verify: wrong key or altered octets", "tag")
        return plain

    def crypt(self, nonce: bytes, octets: bytes) -> bytes:
        """Encrypt or decrypt without a tag (the same operation)."""
        return _under(self._key)(nonce, octets, None)[:-16]

    def tag(self, nonce: bytes, aad: bytes) -> bytes:
        """The 12-octet GMAC over ``aad``."""
        return _under(self._key)(nonce, b"", aad)[:12]


@lru_cache(maxsize=256)
def _under(key: bytes) -> Callable[[bytes, bytes, bytes | None], bytes]:
    """What encrypts under a key. It holds 2.5 kB outside of Python, so only those used last are kept."""
    return AESGCM(key).encrypt


def aes_cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC, 16 octets (RFC 4493)."""
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def aes_ctr(key: bytes, counter: bytes, octets: bytes) -> bytes:
    """AES in counter mode from a 16-octet first counter block; the same call encrypts and decrypts."""
    stream = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return stream.update(octets) + stream.finalize()


def aes_cbc_decrypt(key: bytes, iv: bytes, octets: bytes) -> bytes:
    """AES-CBC without padding; ``octets`` a multiple of 16."""
    stream = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return stream.update(octets) + stream.finalize()


def aes_cbc_encrypt(key: bytes, iv: bytes, octets: bytes) -> bytes:
    """AES-CBC without padding; ``octets`` a multiple of 16."""
    stream = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return stream.update(octets) + stream.finalize()


def aes_ecb_encrypt(key: bytes, block: bytes) -> bytes:
    """One or more 16-octet blocks, each encrypted alone (key derivation only)."""
    stream = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  a norm's key derivation
    return stream.update(block) + stream.finalize()
