"""Which meters are behind which gateway, in the registry: coupled, decoupled, moved; history stays with the meter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from meterway.base.errors import SecurityError
from meterway.headend.coupling import COUPLED, DECOUPLED, FREE, MOVED, Coupling
from meterway.headend.fleet import Fleet
from meterway.headend.gateway_keys import OWN_KEYS, keys_for
from meterway.headend.layout import Behind
from meterway.mapping.mbus_cosem import companion_of
from meterway.store.database import Store
from meterway.store.devices import GATEWAY, Device, Flag, NewDevice
from meterway.store.vault import Vault

__all__ = ["Topology"]


@dataclass(frozen=True, slots=True)
class _Gateway:
    """A gateway with its keys opened."""

    device: Device
    keys: dict[str, bytes] = field(repr=False)

    def keys_for(self, serial: str) -> dict[str, bytes]:
        """Those of a meter's logical device."""
        return keys_for(self.device, self.keys, serial)


class Topology:
    """Keeps the registry as the gateways tell it; called in the thread that writes, within its transaction.

    Who listed a meter last has it: a gateway that still lists one which another has bound since does not get it back.
    """

    def __init__(self, store: Store, fleet: Fleet, vault: Vault) -> None:
        self._store = store
        self._fleet = fleet
        self._vault = vault
        self.released: set[int] = set()
        """Devices that were decoupled while this runs: a session with one that ends later makes nothing due."""
        self._coupling = Coupling(store, self.released)

    def settle(self, gateway: Device, listed: Sequence[Behind], *, now_ms: int) -> list[str]:
        """Make the registry agree with what a gateway lists; a sentence for each change."""
        if gateway.utility != GATEWAY:
            self._change(gateway, {"utility": GATEWAY}, now_ms)
        opened = _Gateway(gateway, self._opened(gateway))
        before = self._listed_before(gateway.id)
        told: list[str] = []
        for meter in listed:
            told += self._settle_one(opened, meter, is_new=meter.serial not in before, now_ms=now_ms)
        present = {meter.serial for meter in listed}
        for child in self._store.devices.children(gateway.id):
            if child.serial not in present:
                told.append(self._release(gateway, child, now_ms))
        if present != before:
            self._store.settings.put(_setting(gateway.id), msgspec.json.encode(sorted(present)).decode())
        return told

    def own_key(self, serial: str) -> bytes:
        """The key of a meter's own telegrams, as far as the registry has it; empty if not."""
        return self._opened(self._store.devices.by_serial(serial)).get(OWN_KEYS[0], b"")

    def keep_own_key(self, serial: str, key: bytes, *, now_ms: int) -> None:
        """Keep the key of a meter's telegrams, and the one before: it may not have taken the new one yet."""
        device = self._store.devices.by_serial(serial)
        keys = self._opened(device)
        present = keys.get(OWN_KEYS[0], b"")
        keys |= {OWN_KEYS[0]: key} | ({OWN_KEYS[1]: present} if present and present != key else {})
        self._change(device, {"keys": self._vault.seal_all(serial, keys)}, now_ms)

    def _settle_one(self, gateway: _Gateway, meter: Behind, *, is_new: bool, now_ms: int) -> list[str]:
        known = self._store.devices.find(meter.serial)
        if known is None:
            return [self._register(gateway, meter, now_ms)]
        if known.parent == gateway.device.id:
            return self._follow(gateway, known, meter, now_ms)
        if known.parent is None and known.state != FREE and _is_reached(known, gateway.device, meter):
            self._change(known, {"parent": gateway.device.id, **_kind(meter)}, now_ms)
            return []
        return [self._move(gateway, known, meter, now_ms)] if is_new or known.parent is None else []

    # -- what changes -------------------------------------------------------------------------------------------------

    def _register(self, gateway: _Gateway, meter: Behind, now_ms: int) -> str:
        place = self._place(gateway, meter)
        self._store.devices.add(NewDevice(serial=meter.serial, **_kind(meter), **place), now_ms=now_ms)  # type: ignore[arg-type]
        device = self._store.devices.by_serial(meter.serial)
        self._coupling.begin(device, now_ms)
        return self._coupling.tell(device, COUPLED, f"coupled to {_at(gateway.device, meter)}", now_ms)

    def _follow(self, gateway: _Gateway, known: Device, meter: Behind, now_ms: int) -> list[str]:
        """The same gateway: it may have another address, or the meter another channel."""
        parent = gateway.device
        place = {"transport": parent.transport, "host": parent.host, "port": parent.port, "sap": meter.sap}
        changes = {name: value for name, value in place.items() if getattr(known, name) != value}
        if changes:
            self._change(known, changes, now_ms)
        return []

    def _move(self, gateway: _Gateway, known: Device, meter: Behind, now_ms: int) -> str:
        """Behind another gateway it has another title and other keys; what it was is kept under the same device."""
        was = self._store.devices.get(known.parent).serial if known.parent is not None else ""
        changes = {**self._place(gateway, meter, known), **_kind(meter), "state": "registered", "system_title": None}
        self._change(known, changes, now_ms)
        self._store.counters.begin_anew(known.id, "received")
        self._store.settings.put(f"layout:{known.id}", "")
        self._coupling.begin(known, now_ms)
        if not was:
            return self._coupling.tell(known, COUPLED, f"coupled to {_at(gateway.device, meter)}", now_ms)
        return self._coupling.tell(known, MOVED, f"moved from {was} to {_at(gateway.device, meter)}", now_ms)

    def _release(self, gateway: Device, child: Device, now_ms: int) -> str:
        """Decoupled: nobody asks it any more; what it measured stays."""
        self._change(child, {"parent": None, "state": FREE}, now_ms)
        self._coupling.end(child, now_ms)
        return self._coupling.tell(child, DECOUPLED, f"decoupled from {gateway.serial}", now_ms)

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _place(self, gateway: _Gateway, meter: Behind, known: Device | None = None) -> dict[str, object]:
        """How a meter is reached behind a gateway; the keys of its telegrams stay its own."""
        parent = gateway.device
        own = {} if known is None else self._opened(known)
        keys = gateway.keys_for(meter.serial) | {name: key for name, key in own.items() if name in OWN_KEYS}
        flags: dict[str, Flag] = {"channel": meter.channel}
        if "client" in parent.flags:
            flags["client"] = parent.flags["client"]
        return {
            "transport": parent.transport,
            "host": parent.host,
            "port": parent.port,
            "sap": meter.sap,
            "parent": parent.id,
            "keys": self._vault.seal_all(meter.serial, keys) if keys else None,
            "flags": flags,
        }

    def _change(self, device: Device, changes: dict[str, object], now_ms: int) -> None:
        self._store.devices.update(device.id, changes, now_ms=now_ms)
        self._fleet.forget(device.id)

    def _opened(self, device: Device) -> dict[str, bytes]:
        try:
            return self._vault.open_all(device.serial, device.keys)
        except SecurityError:
            return {}

    def _listed_before(self, gateway: int) -> set[str]:
        try:
            return msgspec.json.decode(self._store.settings.get(_setting(gateway)) or "[]", type=set[str])
        except msgspec.MsgspecError:
            return set()


def _setting(gateway: int) -> str:
    return f"behind:{gateway}"


def _kind(meter: Behind) -> dict[str, object]:
    return companion_of(meter.address.device_type)._asdict()


def _at(gateway: Device, meter: Behind) -> str:
    return f"{gateway.serial} as channel {meter.channel}"


def _is_reached(device: Device, gateway: Device, meter: Behind) -> bool:
    """Whether a device that was registered by hand is this very meter behind this gateway."""
    return (device.host, device.port, device.sap) == (gateway.host, gateway.port, meter.sap)
