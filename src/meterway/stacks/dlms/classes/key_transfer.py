"""What a device does with a global_key_transfer (method 2 of the security setup): all keys or none (IEC 62056-6-2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from meterway.base.errors import SecurityError
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.classes.registry import interface_class
from meterway.stacks.dlms.classes.security_setup import KeyTransfer
from meterway.stacks.dlms.classes.types import Mismatch
from meterway.stacks.dlms.security.keys import unwrap_key

__all__ = ["key_transfers", "unwrapped_keys"]

_TYPE: Final = interface_class(64, 0).method(2).type
_KEY_LENGTH: Final = 16


def key_transfers(parameter: Data) -> tuple[KeyTransfer, ...] | None:
    """The entries of the method's parameter; None if there are none, or something else is there."""
    try:
        entries = _TYPE.typed(parameter, [])
    except Mismatch:
        return None
    if not isinstance(entries, tuple):
        return None
    found = tuple(entry for entry in entries if isinstance(entry, KeyTransfer))
    return found if found and len(found) == len(entries) else None


def unwrapped_keys(master: bytes, entries: Iterable[KeyTransfer], names: Mapping[int, str]) -> dict[str, bytes] | None:
    """The keys of 16 octets by what ``names`` calls their key_id.

    None if one of them was not wrapped under ``master``, has another length, or is no key of this device, and if there
    is none at all.
    """
    fresh: dict[str, bytes] = {}
    for entry in entries:
        try:
            key = unwrap_key(master, entry.wrapped)
        except SecurityError:
            return None
        if entry.key_id not in names or len(key) != _KEY_LENGTH:
            return None
        fresh[names[entry.key_id]] = key
    return fresh or None
