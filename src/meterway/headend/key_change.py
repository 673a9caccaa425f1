"""New keys for a device: handed over wrapped under its key-encrypting key, and both sets kept until it is sure which.

The row of the registry has the fresh keys before the device is told. If what it answers is lost, nobody knows which
keys are in force: the next change finds out by associating, the fresh ones first.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Final

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.headend.commands import Answered, Command
from meterway.headend.fleet import Fleet
from meterway.headend.gateway_keys import MASTER, keys_behind
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.security_setup import KeyId, KeyTransfer
from meterway.stacks.dlms.client.script import Act, Script
from meterway.stacks.dlms.security.keys import wrap_key
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.parts import MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult
from meterway.store.database import Store
from meterway.store.devices import Device
from meterway.store.vault import Vault

__all__ = ["FRESH", "KeyChange", "hand_over"]

FRESH: Final = "-next"
"""Ends the names of keys that were handed over, or were about to be."""
_SECURITY: Final = Obis(0, 0, 43, 0, 0)
_CLASS: Final = 64
_SIZE: Final = 16
_IDS: Final = {"guek": KeyId.GLOBAL_UNICAST_ENCRYPTION, "gak": KeyId.AUTHENTICATION}


def hand_over(
    command: Command, _: Callable[[Obis], int | None], *, kek: bytes, fresh: dict[str, bytes]
) -> Script[Answered]:
    """``global_key_transfer`` with all keys at once; no answer repeats one."""
    method = interface_class(_CLASS, 0).method("global_key_transfer")
    rows = tuple(KeyTransfer(key_id=_IDS[name], wrapped=wrap_key(kek, key)) for name, key in fresh.items())
    parameter = axdr.encode(method.type.untyped(rows))
    answer = yield Act(MethodDescriptor(_CLASS, command.obis, method.index), parameter)
    if not isinstance(answer, ActionOutcome):
        refusal = "no-answer"
    else:
        refusal = "" if answer.result is ActionResult.SUCCESS else answer.result.word
    return Answered(obis=command.obis, class_id=_CLASS, attribute=method.name, refusal=refusal)


class KeyChange:
    """The keys of devices in the registry as they change. Its methods are called in the thread that writes."""

    def __init__(self, store: Store, fleet: Fleet, vault: Vault) -> None:
        self._store = store
        self._fleet = fleet
        self._vault = vault

    def begin(self, serial: str) -> tuple[bytes, dict[str, bytes]]:
        """The key that wraps, and fresh keys, which are in the row by now; ConfigError if nothing is known to wrap."""
        device, keys = self._known(serial)
        kek = self._kek(device, keys)
        fresh = {name: secrets.token_bytes(_SIZE) for name in _IDS}
        self._keep(device, keys | {name + FRESH: key for name, key in fresh.items()})
        return kek, fresh

    def is_open(self, serial: str) -> bool:
        """Whether it is not known which keys are in force."""
        _, keys = self._known(serial)
        return all(name + FRESH in keys for name in _IDS)

    def swap(self, serial: str) -> None:
        """Try the other set: fresh keys take the place of the others, which are kept as ``-next`` in their stead."""
        device, keys = self._known(serial)
        swapped = {name: keys[name + FRESH] for name in _IDS} | {name + FRESH: keys[name] for name in _IDS}
        self._keep(device, keys | swapped)
        self._store.counters.begin_anew(device.id, "received")

    def end(self, serial: str) -> None:
        """The keys in their place are those in force; the other set is forgotten."""
        device, keys = self._known(serial)
        self._keep(device, {name: key for name, key in keys.items() if not name.endswith(FRESH)})

    def _known(self, serial: str) -> tuple[Device, dict[str, bytes]]:
        device = self._store.devices.by_serial(serial)
        return device, self._vault.open_all(device.serial, device.keys)

    def _kek(self, device: Device, keys: dict[str, bytes]) -> bytes:
        if "kek" in keys:
            return keys["kek"]
        parent = device if MASTER in keys else None
        if parent is None and device.parent is not None:
            parent = self._store.devices.get(device.parent)
        opened = {} if parent is None else self._vault.open_all(parent.serial, parent.keys)
        if parent is None or MASTER not in opened:
            raise ConfigError(f"{device.serial}: the registry knows no key-encrypting key (kek) to wrap new keys under")
        party = str(parent.flags.get("party", "operator"))
        return keys_behind(opened[MASTER], party, parent.serial, device.serial)["kek"]

    def _keep(self, device: Device, keys: dict[str, bytes]) -> None:
        self._store.devices.update(
            device.id, {"keys": self._vault.seal_all(device.serial, keys)}, now_ms=int(time.time() * 1000)
        )
        self._fleet.forget(device.id)
