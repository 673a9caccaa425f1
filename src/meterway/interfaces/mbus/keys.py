"""The keys of a party: a set for each logical device, derived from the party's one secret. There is no default.

Keys that a party transferred take the place of those that derive, until its secret is another or the meter leaves.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from meterway.base.errors import ConfigError
from meterway.mapping.party_keys import party_keys
from meterway.stacks.dlms.classes.security_setup import KeyId

__all__ = ["FIELDS", "PartyKeys", "derive", "fingerprint", "title_of"]

_LEAST: Final = 16
FIELDS: Final[dict[int, str]] = {
    KeyId.GLOBAL_UNICAST_ENCRYPTION: "guek",
    KeyId.AUTHENTICATION: "gak",
    KeyId.MASTER: "kek",
}
"""The keys that a party may transfer, as ``PartyKeys`` calls them."""


class PartyKeys(NamedTuple):
    """What protects one party's association with one logical device; never shown."""

    guek: bytes
    gak: bytes
    kek: bytes
    """Wraps the keys that take the place of these."""

    def __repr__(self) -> str:
        return "PartyKeys(…)"


def derive(secret: bytes, party: str, device: str) -> PartyKeys:
    """The keys of a party for a logical device; ConfigError for a short secret."""
    if len(secret) < _LEAST:
        raise ConfigError(f"the secret of {party} must have at least {_LEAST} octets")
    return PartyKeys(**party_keys(secret, party, device))


def fingerprint(keys: PartyKeys) -> str:
    """What a set of keys is named by, from which none of them can be told."""
    return hashlib.sha256(b"party keys" + keys.guek + keys.gak + keys.kek).hexdigest()[:32]


def title_of(flag: str, name: str) -> bytes:
    """A system title: three letters of the maker and five octets that no other name shares in practice."""
    return flag.encode() + hashlib.sha256(name.encode()).digest()[:5]
