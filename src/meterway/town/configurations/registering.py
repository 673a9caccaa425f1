"""What the field reports, put into the registries of the head ends."""

from __future__ import annotations

import time
from typing import Final

from meterway.headend.gateway_keys import MASTER, keys_behind
from meterway.headend.serve import HeadEnd
from meterway.meter.api import Keys
from meterway.store.devices import GATEWAY, Flag, NewDevice
from meterway.store.tasks import NewTask
from meterway.town.configurations.messages import Way
from meterway.town.configurations.plan import broadcast_keys, party_secret

__all__ = ["register"]

_HOST: Final = "127.0.0.1"


def register(head_end: HeadEnd, ways: list[Way], secret: bytes) -> int:
    """Put devices into a head end's registry, due now; how many it will know once it has found all behind them."""
    store, now_ms = head_end.store, int(time.time() * 1000)
    with store.transaction():
        parents = _unseen_gateways(head_end, ways, now_ms)
        for way in ways:
            parent = _housing(head_end, way) if way.utility == GATEWAY else parents.get(way.gateway)
            device = store.devices.add(_device(head_end, way, secret, parent), now_ms=now_ms)
            if not way.waits:
                task = NewTask(device=device.id, kind="collect", due_ms=now_ms, name=f"first:{device.id}")
                store.tasks.add_many([task], now_ms=now_ms)
    return sum(1 + way.finds for way in ways)


def _unseen_gateways(head_end: HeadEnd, ways: list[Way], now_ms: int) -> dict[str, int]:
    """Rows for the gateways that a head end reaches meters through but may not ask themselves; nothing is due there."""
    seen = {way.serial for way in ways}
    unseen = {way.gateway: way.port for way in ways if way.gateway and way.gateway not in seen}
    for serial, port in unseen.items():
        row = NewDevice(serial=serial, utility=GATEWAY, profile="lnap", host=_HOST, port=port)
        head_end.store.devices.add(row, now_ms=now_ms)
    return {serial: head_end.store.devices.by_serial(serial).id for serial in unseen}


def _housing(head_end: HeadEnd, way: Way) -> int | None:
    """The device that a gateway is a part of; it comes before the gateway in the list."""
    return head_end.store.devices.by_serial(way.inside).id if way.inside else None


def _device(head_end: HeadEnd, way: Way, secret: bytes, parent: int | None) -> NewDevice:
    flags: dict[str, Flag] = {}
    if way.physical:
        flags |= {"physical": way.physical, "address_size": 2}
    if way.party:
        flags |= {"client": way.client}
    if way.party and way.utility == GATEWAY:
        flags |= {"party": way.party}
    return NewDevice(
        serial=way.serial,
        system_title=bytes.fromhex(way.system_title),
        utility=way.utility,
        profile=way.profile,
        transport=way.transport,
        host=_HOST,
        port=way.port,
        sap=way.sap,
        parent=parent,
        flags=flags,
        keys=head_end.vault.seal_all(way.serial, _keys(way, secret)),
    )


def _keys(way: Way, secret: bytes) -> dict[str, bytes]:
    if not way.party:
        keys = Keys.derive(secret, way.serial)
        return {"guek": keys.guek, "gak": keys.gak, "kek": keys.kek}
    master = party_secret(secret, way.gateway, way.party)
    keys_of = keys_behind(master, way.party, way.gateway, way.serial)
    if way.profile == "nnap":
        keys_of |= dict(zip(("gbek", "gbak"), broadcast_keys(secret, way.gateway), strict=True))
    return keys_of | ({MASTER: master} if way.utility == GATEWAY else {})
