"""The keys of a party: one pair for each logical device, derived from the party's one secret. There is no default."""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

from meterway.base.errors import ConfigError

__all__ = ["PartyKeys", "derive", "device_name", "title_of"]

_LEAST: int = 16


class PartyKeys(NamedTuple):
    """What protects one party's association with one logical device; never shown."""

    guek: bytes
    gak: bytes

    def __repr__(self) -> str:
        return "PartyKeys(…)"


def derive(secret: bytes, party: str, device: str) -> PartyKeys:
    """HMAC-SHA256(secret, purpose, party, device), cut to 16 octets; ConfigError for a short secret.

    Each logical device has keys of its own: a client may count its messages to each of them by itself.
    """
    if len(secret) < _LEAST:
        raise ConfigError(f"the secret of {party} must have at least {_LEAST} octets")
    cut = [hmac.digest(secret, f"{purpose}|{party}|{device}".encode(), "sha256")[:16] for purpose in ("guek", "gak")]
    return PartyKeys(*cut)


def title_of(flag: str, name: str) -> bytes:
    """A system title: three letters of the maker and five octets that no other name shares in practice."""
    return flag.encode() + hashlib.sha256(name.encode()).digest()[:5]


def device_name(serial: str, name: str) -> str:
    """The name of a logical device of a gateway, from the gateway's serial and the device's own serial or address."""
    return f"{serial}|{name}"
