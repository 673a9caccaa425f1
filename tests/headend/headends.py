"""What tests of the head end share: a store with devices, a fleet, harvests made by hand."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from meterway.base.obis import Obis
from meterway.headend.collect import Collected
from meterway.headend.contact import Outcome
from meterway.headend.fleet import Entry, Fleet
from meterway.headend.harvest import Harvest
from meterway.headend.layout import Channel, DeviceLayout, ProfileLayout
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data
from meterway.stacks.dlms.client.session import SessionDone, SessionFailed
from meterway.store.block import Block, Column
from meterway.store.block import Channel as BlockChannel
from meterway.store.blocks import NewBlock
from meterway.store.database import Store
from meterway.store.devices import NewDevice
from meterway.store.packing import pack
from meterway.store.tasks import Task
from meterway.store.vault import Vault

NOW = 1_773_000_000.0
"""Some second of March 2026; 20520 days and 72000 s after 1970."""
DAY = int(NOW) // 86400
VAULT = Vault(bytes(range(32)))
TITLE = b"MWYHEAD1"
KEYS = {"guek": bytes(range(16)), "gak": bytes(range(16, 32))}
LOAD = ProfileLayout(
    "1-0:99.1.0*255", 900, 0, 1, (Channel(2, "1-0:1.8.0*255", 0, 30), Channel(3, "1-0:2.8.0*255", 0, 30))
)
LAYOUT = DeviceLayout({"1-0:0.2.0": "V1"}, {"1-0:1.8.0*255": (0, 30), "1-0:2.8.0*255": (0, 30)}, {LOAD.obis: LOAD})


def device(serial: str, **given: Any) -> NewDevice:
    """A device with keys."""
    return NewDevice(serial=serial, profile="idis", keys=VAULT.seal_all(serial, KEYS), **given)


def fleet_of(store: Store) -> Fleet:
    """A fleet over all devices of a store."""
    return Fleet(store, VAULT, system_title=TITLE, unix=lambda: 0.0)


def moment(unix_s: float) -> Data:
    """The octet-string of a date-time."""
    from datetime import UTC, datetime

    return axdr.octets(CosemDateTime.from_utc(datetime.fromtimestamp(unix_s, UTC)).encode())


def rows(*times_s: float, first: int = 100, status: int = 0) -> bytes:
    """A load profile with rows at those times, counting up."""
    return axdr.encode(
        axdr.array(
            *[
                axdr.structure(moment(at), axdr.u8(status), axdr.u32(first + index), axdr.u32(index))
                for index, at in enumerate(times_s)
            ]
        )
    )


def harvest(entry: Entry, collected: Collected, *, task: Task | None = None, cause: str = "ok") -> Harvest:
    """What a session brought, whole or broken off."""
    from meterway.base.errors import LinkError

    report = (
        SessionDone(collected, (), 10) if cause == "ok" else SessionFailed(cause, LinkError("the line broke"), (), 5)
    )
    return Harvest(entry, task, collected, Outcome(report, NOW, 0.01))


def play(script: Generator[Any, Any, Any], *answers: Any) -> tuple[list[Any], Any]:
    """Drive a script with answers in order: what it asked, and what it returned (None if it wants more)."""
    asked = [next(script)]
    for answer in answers:
        try:
            asked.append(script.send(answer))
        except StopIteration as end:
            return asked, end.value
    return asked, None


def keep_day(store: Store, device: int, day: int, present: Any) -> None:
    """Store a day of quarter-hours of which these are there."""
    channel = BlockChannel.of(Column(obis=Obis(1, 0, 1, 8, 0), unit=30), np.arange(96), present=present)
    block = Block(start_s=day * 86400, interval_s=900, channels=(channel,))
    store.blocks.upsert_many([NewBlock(device=device, packed=pack(block))], now_ms=0)
