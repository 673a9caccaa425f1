"""Keys for other keys: wrapping under the master key (RFC 3394)."""

from __future__ import annotations

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from meterway.base.errors import SecurityError

__all__ = ["unwrap_key", "wrap_key"]


def wrap_key(master: bytes, key: bytes) -> bytes:
    """``key`` wrapped for transport; 8 octets longer."""
    return aes_key_wrap(master, key)


def unwrap_key(master: bytes, wrapped: bytes) -> bytes:
    """The key inside; SecurityError(key) if it was not wrapped under ``master`` or was altered."""
    try:
        return aes_key_unwrap(master, wrapped)
    except (InvalidUnwrap, ValueError):
        raise SecurityError("the wrapped key does not open under the master key", "key") from None
