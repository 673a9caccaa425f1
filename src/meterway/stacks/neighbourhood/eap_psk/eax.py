"""AES in EAX mode with a tag of 16 octets (Bellare, Rogaway, Wagner: "The EAX Mode of Operation")."""

from __future__ import annotations

import hmac

from meterway.base.ciphers import aes_cmac, aes_ctr
from meterway.base.errors import SecurityError

__all__ = ["TAG_SIZE", "eax_open", "eax_seal"]

TAG_SIZE = 16


def eax_seal(key: bytes, nonce: bytes, header: bytes, plain: bytes) -> tuple[bytes, bytes]:
    """Ciphertext and tag."""
    counter = _omac(key, 0, nonce)
    sealed = aes_ctr(key, counter, plain)
    return sealed, _tag(key, counter, header, sealed)


def eax_open(key: bytes, nonce: bytes, header: bytes, sealed: bytes, tag: bytes) -> bytes:
    """Plaintext; SecurityError(``tag``) if it does not verify."""
    counter = _omac(key, 0, nonce)
    if not hmac.compare_digest(_tag(key, counter, header, sealed), tag):
        raise SecurityError("the tag of the protected channel does not verify: wrong key or altered octets", "tag")
    return aes_ctr(key, counter, sealed)


def _omac(key: bytes, which: int, octets: bytes) -> bytes:
    return aes_cmac(key, which.to_bytes(16, "big") + octets)


def _tag(key: bytes, counter: bytes, header: bytes, sealed: bytes) -> bytes:
    parts = (counter, _omac(key, 1, header), _omac(key, 2, sealed))
    first, second, third = (int.from_bytes(part, "big") for part in parts)
    return (first ^ second ^ third).to_bytes(TAG_SIZE, "big")
