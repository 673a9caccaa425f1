"""The keys of EAP-PSK: two from the shared key, then those of a session (RFC 4764, modified counter mode)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self

from meterway.base.ciphers import aes_ecb_encrypt
from meterway.base.errors import SecurityError

__all__ = ["KEY_SIZE", "PskKeys", "SessionKeys"]

KEY_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """Transient EAP key (protected channel), master session keys; 16, 64 and 64 octets, never shown."""

    tek: bytes = field(repr=False)
    msk: bytes = field(repr=False)
    emsk: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PskKeys:
    """Authentication key and key-derivation key of a shared key; never shown."""

    ak: bytes = field(repr=False)
    kdk: bytes = field(repr=False)

    @classmethod
    def of(cls, psk: bytes) -> Self:
        """From the shared key of 16 octets; SecurityError(``key``) for another length."""
        if len(psk) != KEY_SIZE:
            raise SecurityError(f"a pre-shared key has {KEY_SIZE} octets, not {len(psk)}", "key")
        ak, kdk = _counter_mode(psk, bytes(KEY_SIZE), 2)
        return cls(ak, kdk)

    def session(self, rand_p: bytes) -> SessionKeys:
        """The keys that follow from the peer's random number."""
        tek, *rest = _counter_mode(self.kdk, rand_p, 9)
        return SessionKeys(tek, b"".join(rest[:4]), b"".join(rest[4:]))


def _counter_mode(key: bytes, block: bytes, count: int) -> list[bytes]:
    """Encrypt once, then once more with each of the numbers from 1 turned into the result."""
    base = int.from_bytes(aes_ecb_encrypt(key, block), "big")
    return [aes_ecb_encrypt(key, (base ^ number).to_bytes(KEY_SIZE, "big")) for number in range(1, count + 1)]
