"""The keys of a party: one pair for each logical device, derived from the party's one secret. There is no default."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from meterway.base.errors import ConfigError
from meterway.mapping.party_keys import party_keys

__all__ = ["PartyKeys", "derive", "title_of"]

_LEAST: int = 16


class PartyKeys(NamedTuple):
    """What protects one party's association with one logical device; never shown."""

    guek: bytes
    gak: bytes

    def __repr__(self) -> str:
        return "PartyKeys(…)"


def derive(secret: bytes, party: str, device: str) -> PartyKeys:
    """The keys of a party for a logical device; ConfigError for a short secret."""
    if len(secret) < _LEAST:
        raise ConfigError(f"the secret of {party} must have at least {_LEAST} octets")
    return PartyKeys(**party_keys(secret, party, device))


def title_of(flag: str, name: str) -> bytes:
    """A system title: three letters of the maker and five octets that no other name shares in practice."""
    return flag.encode() + hashlib.sha256(name.encode()).digest()[:5]
