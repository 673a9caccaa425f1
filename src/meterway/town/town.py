"""A town on loopback sockets: a street of meters and homes with gateways in processes of their own, displays, pages."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from meterway.base.errors import LinkError
from meterway.display.api import Display, DisplayConfig
from meterway.headend.api import Views
from meterway.headend.config import CollectConfig, HeadEndConfig, PushConfig, WebConfig
from meterway.headend.control_server import ControlSocket
from meterway.headend.gateway_keys import MASTER, keys_behind
from meterway.headend.live import Happening
from meterway.headend.overview import percentile
from meterway.headend.serve import HeadEnd
from meterway.headend.traffic import InterfaceTraffic
from meterway.interfaces import Entity, Network, label_of
from meterway.meter.api import HDLC_PHYSICAL, Keys
from meterway.store.devices import GATEWAY, NewDevice
from meterway.store.tasks import NewTask
from meterway.town.air import AirWatch
from meterway.town.automation import Automation
from meterway.town.broker import Broker, BrokerAccess
from meterway.town.child import Child
from meterway.town.configurations.summary import merged
from meterway.town.homes import METERS_A_HOME, PARTY, Home, HomesOrder, HomesReport, lnap_serial, secret_of
from meterway.town.neighbours import Neighbours
from meterway.town.plan import Street, TownPlan
from meterway.town.street import Order, Report
from meterway.town.summary import Summary

if TYPE_CHECKING:
    from meterway.headend.web.server import WebServer

__all__ = ["Town"]

_START_TIMEOUT_S: Final = 120.0
_END_S: Final = 5.0
_DAY_S: Final = 86400
_POLL_S: Final = 0.1
_PATIENCE_S: Final = 60.0
_SMALL_TOWN: Final = 1000
_CONCURRENCY: Final = 32


class Town:
    """Starts everything, waits for the first full collection, stops everything. ``folder`` keeps store and keys."""

    def __init__(self, plan: TownPlan, folder: Path, *, web_port: int = 0) -> None:
        self.plan = plan
        self._secret = secrets.token_bytes(32)
        self._folder = folder
        self._children: list[Child] = []
        self._watches: list[asyncio.Task[None]] = []
        self._died: list[str] = []
        self.streets: list[Street] = []
        self.homes: list[Home] = []
        self.displays: list[Display] = []
        self.automation = Automation()
        self.neighbours = Neighbours()
        self.without_h2 = ""
        """What this machine lacks for interface H2; empty if nothing."""
        self._broker = Broker(folder)
        self.config = HeadEndConfig(
            system_title=(b"MWY" + secrets.token_bytes(5)).hex(),
            store=str(folder / "meterway.sqlite"),
            master_key=str(folder / "meterway.key"),
            web=WebConfig(port=web_port),
            push=PushConfig(port=0),
            collect=CollectConfig(
                every_s=60.0 if plan.meters <= _SMALL_TOWN else 900.0,
                concurrency=_CONCURRENCY,
                retry_first_s=5.0,
            ),
        )
        self.head_end = HeadEnd(self.config)
        self.air = AirWatch(self.head_end.overheard)
        self._control = ControlSocket(self.head_end)
        self._pages: WebServer | None = None
        self._began = 0.0

    # -- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bring the meters up, put them into the registry, connect the displays, begin to collect.

        LinkError if the process of the street, of the homes or of the neighbourhood does not come up.
        """
        await self.head_end.start()
        self.streets, homes, _ = await asyncio.gather(
            self._start_street(), self._start_homes(), self._start_neighbours()
        )
        self.homes = homes.homes
        if self.plan.neighbours:
            self.head_end.extra_traffic.append(self.neighbours.traffic)
        if self.homes:
            await self.air.start(homes.hub_port, METERS_A_HOME * len(self.homes))
            self.head_end.extra_traffic.append(self.air.traffic)
        await asyncio.to_thread(self._register)
        await self._start_displays()
        self.head_end.extra_traffic.append(self._h1_traffic)
        self._began = time.perf_counter()
        self.head_end.collector.wake()

    async def start_pages(self) -> None:
        """Serve the head end's pages and its control socket; ConfigError if the port is taken."""
        from meterway.headend.web.server import serve

        await self._control.start()
        self._pages = await serve(self.head_end)

    def settings_file(self) -> str:
        """The head end's settings as a TOML file, for commands that look for it."""
        config = self.config
        return (
            f'system_title = "{config.system_title}"\n'
            f"store = {json.dumps(config.store)}\n"
            f"master_key = {json.dumps(config.master_key)}\n"
        )

    @property
    def page_address(self) -> str:
        """Where the pages are, once they are served."""
        return self._pages.address if self._pages is not None else ""

    async def stop(self) -> None:
        """Stop pages, displays, head end and street."""
        for watch in self._watches:
            watch.cancel()
        if self._pages is not None:
            await self._pages.stop()
        await self._control.stop()
        for display in self.displays:
            await display.stop()
        await self.head_end.stop()
        self.air.stop()
        await self.neighbours.stop()
        await self.automation.stop()
        await asyncio.gather(*(child.end(_END_S) for child in self._children))
        await self._broker.stop()

    async def _start_street(self) -> list[Street]:
        order = Order(
            meters=self.plan.meters,
            displays=self.plan.displays,
            push_port=self.head_end.push.port,
            secret=self._secret.hex(),
        )
        line, _ = await self._run("street", order)
        report = msgspec.json.decode(line, type=Report)
        if report.error:
            raise LinkError(f"the street's meters did not come up: {report.error}")
        return report.meters

    async def _start_homes(self) -> HomesReport:
        if not self.plan.homes:
            return HomesReport()
        order = HomesOrder(
            homes=self.plan.homes,
            folder=str(self._folder),
            secret=self._secret.hex(),
            broker=await self._start_broker(),
        )
        line, _ = await self._run("homes", order)
        report = msgspec.json.decode(line, type=HomesReport)
        if report.error:
            raise LinkError(f"the homes did not come up: {report.error}")
        return report

    async def _start_broker(self) -> BrokerAccess | None:
        """Where the homes tell their home automation what they measure; None where the machine has no broker."""
        self.without_h2 = Broker.missing()
        if self.without_h2:
            return None
        access = await self._broker.start([lnap_serial(home) for home in range(1, self.plan.homes + 1)])
        self.automation.start(access)
        self.head_end.extra_traffic.append(self.automation.traffic)
        return access

    async def _start_neighbours(self) -> None:
        if not self.plan.neighbours:
            return
        folder = self._folder / "neighbourhood"
        folder.mkdir(mode=0o700, exist_ok=True)
        order = self.neighbours.order(self.plan.neighbours, str(folder), self._secret, self.head_end.push.port)
        report, field = await self._run("neighbourhood", order, "configurations.field")
        self.neighbours.up(report, field)

    async def _run(self, name: str, order: msgspec.Struct, module: str = "") -> tuple[bytes, Child]:
        """Start a process of the town with its order; the line it reports. LinkError if it gives none."""
        child = Child(name)
        process = await child.start(module or name)
        self._children.append(child)
        self._watches.append(asyncio.create_task(self._watch(name, process)))
        return await child.ask(order, _START_TIMEOUT_S), child

    async def _watch(self, name: str, process: asyncio.subprocess.Process) -> None:
        """A process that ends before the town does is told: all it ran is silent from then on."""
        status = await process.wait()
        text = f"the {name}'s process has ended (exit status {status}): what it ran is gone"
        self._died.append(text)
        self.head_end.live.tell(Happening("failed", "", text, time.time(), {"status": status}))

    def _register(self) -> None:
        store, now_ms = self.head_end.store, int(time.time() * 1000)
        devices = [self._device(street) for street in self.streets] + [self._gateway(home) for home in self.homes]
        with store.transaction():
            store.devices.add_many(devices, now_ms=now_ms)
            store.tasks.add_many(
                [
                    NewTask(device=device.id, kind="collect", due_ms=now_ms, name=f"first:{device.id}")
                    for device in store.devices.all()
                ],
                now_ms=now_ms,
            )
        self.neighbours.enrol(self.head_end, self._secret)

    def _device(self, street: Street) -> NewDevice:
        keys = Keys.derive(self._secret, street.serial)
        return NewDevice(
            serial=street.serial,
            system_title=bytes.fromhex(street.system_title),
            profile=street.profile,
            transport=street.transport,
            host="127.0.0.1",
            port=street.port,
            sap=street.server,
            flags={"physical": HDLC_PHYSICAL, "address_size": 2} if street.transport == "hdlc" else {},
            keys=self.head_end.vault.seal_all(street.serial, {"guek": keys.guek, "gak": keys.gak, "kek": keys.kek}),
        )

    def _gateway(self, home: Home) -> NewDevice:
        master = secret_of(self._secret, home.serial)
        keys = keys_behind(master, PARTY, home.serial, home.serial) | {MASTER: master}
        return NewDevice(
            serial=home.serial,
            system_title=bytes.fromhex(home.system_title),
            utility=GATEWAY,
            profile="lnap",
            host="127.0.0.1",
            port=home.port,
            flags={"party": PARTY},
            keys=self.head_end.vault.seal_all(home.serial, keys),
        )

    async def _start_displays(self) -> None:
        for street in self.streets:
            if street.h1_port:
                display = Display(DisplayConfig(port=street.h1_port, page_port=None))
                self.displays.append(display)
                display.start()

    def _h1_traffic(self) -> list[InterfaceTraffic]:
        views = [display.view() for display in self.displays]
        return [
            InterfaceTraffic(
                label=label_of(Entity.METER, Entity.DISPLAY, Network.LOCAL),
                between="meter – display",
                entities=len(views),
                sessions=len(views),
                octets=sum(view.octets for view in views),
            )
        ]

    # -- the first collection -----------------------------------------------------------------------------------------

    async def first_collection(self, on_progress: Callable[[int, int, int], None] | None = None) -> Summary:
        """Wait until every device was called at least once; ``on_progress`` gets (meters called, meters, values).

        Gateways and what is behind them are called too; the meters counted are those of the street. Devices of the
        neighbourhood that are not found after a while are left behind, and the summary says that they were not read.
        """
        progress, street = self.head_end.collector.progress, len(self.streets)
        near = street + (1 + METERS_A_HOME) * len(self.homes)
        patience = 0
        while len(progress.devices) < near + self.neighbours.devices and patience < _PATIENCE_S / _POLL_S:
            if self._died:
                raise LinkError(self._died[0])
            patience += len(progress.devices) >= near
            if on_progress is not None:
                on_progress(min(len(progress.devices), street), street, progress.values)
            await asyncio.sleep(_POLL_S)
        if on_progress is not None:
            on_progress(street, street, progress.values)
        return await asyncio.to_thread(self._summary, time.perf_counter() - self._began)

    def _summary(self, seconds: float) -> Summary:
        progress = self.head_end.collector.progress
        durations = sorted(progress.durations_s)
        views = [display.view() for display in self.displays]
        street, others = self._devices()
        neighbours = self.neighbours.ids(self.head_end)
        return Summary(
            meters=len(self.streets),
            read=len(progress.read & street),
            homes=len(self.homes),
            home_devices=(1 + METERS_A_HOME) * len(self.homes),
            home_devices_read=len(progress.read & (others - neighbours)),
            neighbours=self.neighbours.devices,
            neighbours_read=len(progress.read & neighbours),
            interfaces=merged(Views(self.head_end).traffic()),
            left_out=(f"H2: {self.without_h2} is not there",) if self.without_h2 else (),
            values=progress.values,
            completeness=self._completeness(),
            seconds=round(seconds, 3),
            values_per_s=round(progress.values / seconds, 1) if seconds else 0.0,
            p50_ms=round(percentile(durations, 0.50) * 1000, 2),
            p95_ms=round(percentile(durations, 0.95) * 1000, 2),
            failures={cause: count for cause, count in progress.causes.items() if cause != "ok"},
            octets=progress.octets,
            events=progress.events,
            displays=len(views),
            telegrams=sum(view.telegrams for view in views),
        )

    def _devices(self) -> tuple[set[int], set[int]]:
        """Those of the street, and all others."""
        serials = {street.serial for street in self.streets}
        everyone = self.head_end.store.devices.all()
        street = {device.id for device in everyone if device.serial in serials}
        return street, {device.id for device in everyone} - street

    def _completeness(self) -> float:
        """Of the street's meters, over the whole days of the history."""
        today = int(time.time() // _DAY_S)
        first = today - self.config.collect.history_days + 1
        counts = self.head_end.store.blocks.completeness(first, today, alone=True)
        if not counts or not self.streets:
            return 0.0
        per_device = max(row.expected / row.devices for row in counts if row.devices)
        due = per_device * len(self.streets) * (today - first)
        return min(sum(row.present for row in counts) / due, 1.0) if due else 0.0
