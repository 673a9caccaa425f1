"""The keys of one meter: given one by one, or derived from a secret drawn at run time. There is no default."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Self

from meterway.base.errors import ConfigError

__all__ = ["Keys", "derive_join_key"]


@dataclass(slots=True, kw_only=True)
class Keys:
    """What one meter keeps secret; the fields change when keys are transferred."""

    guek: bytes
    """Global unicast encryption key, 16 octets."""
    gak: bytes
    """Authentication key, 16 octets."""
    kek: bytes
    """Master key that wraps the others in transit, 16 octets."""
    lls: bytes
    """Password of the reading client's low level security."""
    gbek: bytes = b""
    """Global broadcast encryption key, 16 octets, or none."""
    gbak: bytes = b""
    """Authentication key of broadcasts, 16 octets; empty: ``gak``, which a group then shares. The norm has one key for
    both; a second one keeps each meter's own authentication key its own."""

    def __post_init__(self) -> None:
        for name in ("guek", "gak", "kek"):
            if len(getattr(self, name)) != 16:
                raise ConfigError(f"{name} must have 16 octets, it has {len(getattr(self, name))}")
        if len(self.lls) < 8:
            raise ConfigError("lls must have at least 8 octets")

    @classmethod
    def derive(cls, secret: bytes, serial: str) -> Self:
        """Keys that are unique to ``serial`` under ``secret`` (at least 16 random octets, never stored in a program).

        Each key is HMAC-SHA256(secret, purpose | serial), cut to 16 octets. Raises ConfigError for a short secret.
        """
        if len(secret) < 16:
            raise ConfigError("the secret that keys are derived from must have at least 16 octets")

        def cut(purpose: str) -> bytes:
            return hmac.digest(secret, f"{purpose}|{serial}".encode(), "sha256")[:16]

        return cls(guek=cut("guek"), gak=cut("gak"), kek=cut("kek"), lls=cut("lls").hex().encode())

    def __repr__(self) -> str:
        """No secrets in logs."""
        return "Keys(…)"


def derive_join_key(secret: bytes, serial: str) -> bytes:
    """The key with which a device joins its neighbourhood network, in the manner of ``Keys.derive``."""
    return hmac.digest(secret, f"join|{serial}".encode(), "sha256")[:16]
