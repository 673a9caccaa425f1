"""Authentication by challenge with a shared secret: HLS 3 (MD5), 4 (SHA-1), 6 (SHA-256); HLS 5 is in ``context``.

MD5 and SHA-1 are here because meters in the field still ask for them; new associations use HLS 5 or better.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from meterway.base.errors import SecurityError

__all__ = ["HLS3", "HLS4", "HLS5", "HLS6", "LLS", "LOWEST", "hls_answer", "new_challenge", "same_secret"]

LOWEST, LLS, HLS3, HLS4, HLS5, HLS6 = 0, 1, 3, 4, 5, 6


def new_challenge(length: int = 16) -> bytes:
    """A fresh challenge of 8 to 64 octets from the system's random source."""
    return secrets.token_bytes(length)


def same_secret(given: bytes, expected: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given, expected)


def hls_answer(
    mechanism: int,
    secret: bytes,
    challenge: bytes,
    *,
    own_title: bytes = b"",
    peer_title: bytes = b"",
    own_challenge: bytes = b"",
) -> bytes:
    """The answer to ``challenge`` under mechanism 3, 4 or 6; SecurityError(mechanism) for another."""
    if mechanism == HLS3:
        return hashlib.md5(challenge + secret, usedforsecurity=False).digest()
    if mechanism == HLS4:
        return hashlib.sha1(challenge + secret, usedforsecurity=False).digest()
    if mechanism == HLS6:
        return hashlib.sha256(secret + own_title + peer_title + challenge + own_challenge).digest()
    raise SecurityError(f"authentication mechanism {mechanism} has no shared-secret answer", "mechanism")
