"""The keys of what is reached through gateways: named in their rows, derived from a party's secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meterway.mapping.party_keys import device_name, party_keys
from meterway.store.devices import Device

__all__ = ["MASTER", "OWN_KEYS", "keys_behind", "keys_for"]

MASTER: Final = "master"
"""The name of the key, in a gateway's row, that those for its logical devices derive from."""
OWN_KEYS: Final = ("mbus", "mbus-before")
"""The names of the keys, in a meter's row, that its telegrams to the gateway are opened with."""


def keys_behind(master: bytes, party: str, gateway: str, meter: str) -> dict[str, bytes]:
    """The keys of a party for the logical device of a meter."""
    return party_keys(master, party, device_name(gateway, meter))


def keys_for(gateway: Device, opened: Mapping[str, bytes], serial: str) -> dict[str, bytes]:
    """Of the logical device of a meter: from the key they derive from, or else those of the gateway itself."""
    if MASTER in opened:
        return keys_behind(opened[MASTER], str(gateway.flags.get("party", "operator")), gateway.serial, serial)
    return {name: key for name, key in opened.items() if name in ("guek", "gak")}
