"""Meters and a head end in one process, on real sockets: they meet on the wire only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from meterway.headend.config import CollectConfig, HeadEndConfig, PushConfig
from meterway.headend.serve import HeadEnd
from meterway.meter.api import Keys, ListenConfig, MeterConfig, MeterHost, serve_meters
from meterway.store.database import Store, open_store
from meterway.store.devices import NewDevice
from meterway.store.tasks import NewTask
from meterway.store.vault import Vault

SECRET = bytes(range(16))
MASTER = bytes(range(32))


def meter_settings(*serials: str, days: int = 3) -> list[MeterConfig]:
    """Meters of those serials, each with keys of its own."""
    return [MeterConfig(serial=serial, keys=Keys.derive(SECRET, serial), profile_days=days) for serial in serials]


@dataclass
class Town:
    """A running head end beside its meters. ``collect`` reads one meter now, as the schedule would."""

    host: MeterHost
    head_end: HeadEnd
    meters: Sequence[MeterConfig]
    store: Store = field(init=False)
    collecting: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.store = self.head_end.store

    async def collect(self, serial: str) -> dict[str, int | str]:
        """One collection of one meter."""
        return await self.head_end.collect_now(serial)

    async def schedule(self) -> None:
        """Make every meter due and begin to collect, as a head end does that is started."""
        for device in self.store.devices.all():
            self.store.tasks.add_many([NewTask(device=device.id, kind="collect", due_ms=1)], now_ms=1)
        self.collecting = asyncio.create_task(self.head_end.collector.run())

    def device(self, serial: str) -> int:
        """The registry's id of a meter."""
        return self.store.devices.by_serial(serial).id

    def contact(self, serial: str) -> dict[str, Any]:
        """The detail of the last contact with a meter."""
        found: dict[str, Any] = msgspec.json.decode(self.store.contacts.of_device(self.device(serial))[0].detail)
        return found


def register(store: Store, vault: Vault, host: MeterHost, meters: Sequence[MeterConfig], *, due_ms: int | None) -> None:
    """The meters in the head end's registry; due for collection at ``due_ms``, or not at all."""
    by_serial = {meter.serial: meter for meter in meters}
    for endpoint in host.endpoints:
        meter = by_serial[endpoint.serial]
        keys = {"guek": meter.keys.guek, "gak": meter.keys.gak}
        device = store.devices.add(
            NewDevice(
                serial=meter.serial,
                profile="idis",
                transport=endpoint.transport,
                host=endpoint.address,
                port=endpoint.port,
                sap=endpoint.server,
                keys=vault.seal_all(meter.serial, keys),
                system_title=meter.title,
            ),
            now_ms=1,
        )
        if due_ms is not None:
            store.tasks.add_many([NewTask(device=device.id, kind="collect", due_ms=due_ms)], now_ms=1)


@asynccontextmanager
async def town(
    path: Path,
    *serials: str,
    transport: str = "tcp",
    scheduled: bool = False,
    days: int = 3,
    push: bool = False,
    **collect: Any,
) -> AsyncIterator[Town]:
    """Meters and a head end; ``scheduled`` runs the collector, ``collect`` are its settings."""
    meters = meter_settings(*serials, days=days)
    collect = {
        "response_timeout_s": 1.0,
        "connect_timeout_s": 2.0,
        "retry_first_s": 0.05,
        "history_days": days,
    } | collect
    async with serve_meters(meters, listen=(ListenConfig(port=0, transport=transport),)) as host:  # type: ignore[arg-type]
        store, vault = open_store(f"sqlite:///{path / 'store.db'}"), Vault(MASTER)
        register(store, vault, host, meters, due_ms=1 if scheduled else None)
        config = HeadEndConfig(
            collect=CollectConfig(enabled=scheduled, **collect), push=PushConfig(port=0, enabled=push)
        )
        head_end = HeadEnd(config, store=store, vault=vault)
        await head_end.start()
        running = Town(host, head_end, meters)
        try:
            yield running
        finally:
            if running.collecting is not None:
                running.collecting.cancel()
                await asyncio.gather(running.collecting, return_exceptions=True)
            await head_end.stop()


async def until(condition: Callable[[], bool], *, limit_s: float = 20.0) -> None:
    """Let the loop run until something holds."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.01)


class Time:
    """The time of day that meters and head end see; tests move it."""

    def __init__(self) -> None:
        self._real = time.time
        self.offset_s = 0.0

    def __call__(self) -> float:
        return self._real() + self.offset_s

    def at(self, hour: int, minute: int = 7) -> None:
        """Go to that time of the coming day (UTC)."""
        midnight = (self() // 86400 + 1) * 86400
        self.offset_s += midnight + hour * 3600 + minute * 60 - self()
