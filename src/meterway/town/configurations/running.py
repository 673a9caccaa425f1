"""A configuration that runs: the field as a process of its own, head ends, displays and energy managers in this one."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from meterway.base.errors import ConfigError, LinkError
from meterway.display.api import Display, DisplayConfig
from meterway.headend.api import Views
from meterway.headend.config import CollectConfig, HeadEndConfig, PushConfig, WebConfig
from meterway.headend.hand_held import LocalPort, read_locally
from meterway.headend.local_reading import LocalReading
from meterway.headend.overview import percentile
from meterway.headend.serve import HeadEnd
from meterway.headend.traffic import InterfaceTraffic
from meterway.home.api import EnergyManager, ManagerConfig
from meterway.interfaces import Entity, Network, label_of
from meterway.meter.api import Keys
from meterway.store.devices import GATEWAY, HOME
from meterway.town.child import Child
from meterway.town.configurations.catalogue import configuration_of
from meterway.town.configurations.messages import Carried, FieldOrder, FieldReport, Happening, Port, Told
from meterway.town.configurations.plan import HISTORY_DAYS, lay_out, party_secret
from meterway.town.configurations.registering import register
from meterway.town.configurations.shape import Kind
from meterway.town.configurations.summary import ConfigurationSummary, merged

__all__ = ["Running"]

_START_TIMEOUT_S: Final = 120.0
_ASK_TIMEOUT_S: Final = 30.0
_COLLECT_TIMEOUT_S: Final = 120.0
_END_S: Final = 10.0
_POLL_S: Final = 0.05
_LOOK_S: Final = 1.0
_DAY_S: Final = 86400
_CONCURRENCY: Final = 32


class Running:
    """Starts, waits for the first full collection, stops. ``folder`` keeps stores and keys.

    ``cut_off``: the electricity meters have no line to a head end at first.
    """

    def __init__(
        self,
        label: str,
        meters: int,
        folder: Path,
        *,
        every_s: float = 60.0,
        speak_s: float = 10.0,
        cut_off: bool = False,
    ) -> None:
        self.configuration = configuration_of(label)
        self.layout = lay_out(self.configuration, meters)
        self.displays: dict[str, Display] = {}
        self.managers: dict[str, EnergyManager] = {}
        self.head_ends: dict[str, HeadEnd] = {}
        """By part."""
        self.local_ports: dict[str, int] = {}
        """Where a hand-held connects, by the meter's serial."""
        self._cut_off = cut_off
        self._secret = secrets.token_bytes(32)
        self._meters = meters
        self._folder = folder
        self._every_s = every_s
        self._speak_s = speak_s
        self._carried: list[Carried] = []
        self._looking: asyncio.Task[None] | None = None
        self._field = Child("field")
        self._expected: dict[str, int] = {}
        self._began = 0.0

    # -- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bring everything up; LinkError if the field does not come up."""
        for thing in self.layout.of(Kind.HEAD_END):
            head_end = self.head_ends[thing.part.name] = HeadEnd(self._settings(thing.serial))
            await head_end.start()
        report = await self._start_field()
        if self._cut_off:
            for meter in self.layout.of(Kind.ELECTRICITY):
                await self.happen(meter.serial, "line down")
        for name, head_end in self.head_ends.items():
            ways = [way for way in report.ways if way.head_end == name]
            self._expected[name] = await asyncio.to_thread(register, head_end, ways, self._secret)
        for port in report.ports:
            self._start_at_home(port)
        for head_end in tuple(self.head_ends.values())[:1]:
            head_end.extra_traffic.append(self._field_traffic)
        self._began = time.perf_counter()
        for head_end in self.head_ends.values():
            head_end.collector.wake()
        self._looking = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        """Stop everything."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        for display in self.displays.values():
            await display.stop()
        for manager in self.managers.values():
            await manager.stop()
        for head_end in self.head_ends.values():
            await head_end.stop()
        await self._field.end(_END_S)

    def _settings(self, serial: str) -> HeadEndConfig:
        collect = CollectConfig(every_s=self._every_s, concurrency=_CONCURRENCY, retry_first_s=2.0)
        if self.layout.of(Kind.CONCENTRATOR):
            collect = msgspec.structs.replace(collect, history_days=HISTORY_DAYS)
        return HeadEndConfig(
            system_title=(b"MWY" + secrets.token_bytes(5)).hex(),
            store=str(self._folder / f"{serial}.sqlite"),
            master_key=str(self._folder / f"{serial}.key"),
            web=WebConfig(port=0),
            push=PushConfig(port=0),
            collect=collect,
        )

    def _start_at_home(self, port: Port) -> None:
        if self.configuration.part(port.part).kind is Kind.DISPLAY:
            display = self.displays[port.serial] = Display(DisplayConfig(port=port.port, page_port=None))
            display.start()
            return
        if self.configuration.part(port.part).kind is Kind.HAND_HELD:
            self.local_ports[port.detail["meter"]] = port.port
            return
        detail = port.detail
        config = ManagerConfig(
            port=port.port,
            gateway=detail["gateway"],
            party=detail["party"],
            client=int(detail["client"]),
            secret=party_secret(self._secret, detail["gateway"], detail["party"]).hex(),
            meters=msgspec.json.decode(detail["meters"], type=dict[str, int]),
            every_s=min(self._every_s, 10.0),
        )
        manager = self.managers[port.serial] = EnergyManager(config)
        manager.start()

    # -- the field ----------------------------------------------------------------------------------------------------

    async def _start_field(self) -> FieldReport:
        order = FieldOrder(
            speak_s=self._speak_s,
            label=self.configuration.label,
            meters=self._meters,
            folder=str(self._folder),
            secret=self._secret.hex(),
            push={name: head_end.push.port for name, head_end in self.head_ends.items()},
        )
        await self._field.start("configurations.field")
        report = msgspec.json.decode(await self._field.ask(order, _START_TIMEOUT_S), type=FieldReport)
        if report.error:
            raise LinkError(f"the field did not come up: {report.error}")
        return report

    async def happen(self, serial: str, what: str, value: float = 0.0) -> dict[str, float]:
        """Let something happen to a thing in the field; how it is then. ConfigError if it cannot be."""
        line = await self._field.ask(Happening(serial=serial, what=what, value=value), _ASK_TIMEOUT_S)
        told = msgspec.json.decode(line, type=Told)
        if told.error:
            raise ConfigError(told.error)
        return told.facts

    async def look(self) -> None:
        """Have the field tell what was carried in it."""
        told = msgspec.json.decode(await self._field.ask(Happening(), _ASK_TIMEOUT_S), type=Told)
        self._carried = told.carried

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            await self.look()

    # -- the first collection -----------------------------------------------------------------------------------------

    async def first_collection(
        self, on_progress: Callable[[int, int, int], None] | None = None, *, timeout_s: float = _COLLECT_TIMEOUT_S
    ) -> ConfigurationSummary:
        """Wait until every device was called, every display was told and every manager has asked.

        ``on_progress`` gets (devices called, devices, values). LinkError if that takes longer than ``timeout_s``.
        """
        due = sum(self._expected.values())
        try:
            async with asyncio.timeout(timeout_s):
                while not self._is_complete():
                    if on_progress is not None:
                        on_progress(self._called(), due, self._values())
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            called = f"{self._called()} of {due} devices were called"
            raise LinkError(f"the first collection was not complete within {timeout_s:g} s: {called}") from None
        if on_progress is not None:
            on_progress(due, due, self._values())
        await self.look()
        return await asyncio.to_thread(self.summary)

    def _is_complete(self) -> bool:
        return (
            all(len(self.head_ends[name].collector.progress.devices) >= due for name, due in self._expected.items())
            and all(display.view().telegrams for display in self.displays.values())
            and all(len(one.measured) == len(one.config.meters) for one in self.managers.values())
        )

    def _called(self) -> int:
        return sum(len(head_end.collector.progress.devices) for head_end in self.head_ends.values())

    def _values(self) -> int:
        return sum(head_end.collector.progress.values for head_end in self.head_ends.values())

    def summary(self) -> ConfigurationSummary:
        """How it stands now."""
        seconds = time.perf_counter() - self._began
        progress = [head_end.collector.progress for head_end in self.head_ends.values()]
        durations = sorted(each for one in progress for each in one.durations_s)
        meters, read = self._metered()
        values = self._values()
        causes: dict[str, int] = {}
        for one in progress:
            for cause, count in one.causes.items():
                if cause != "ok":
                    causes[cause] = causes.get(cause, 0) + count
        views = [display.view() for display in self.displays.values()]
        return ConfigurationSummary(
            configuration=self.configuration.label,
            title=self.configuration.title,
            meters=meters,
            read=read,
            values=values,
            completeness=self._completeness(),
            seconds=round(seconds, 3),
            values_per_s=round(values / seconds, 1) if seconds else 0.0,
            p50_ms=round(percentile(durations, 0.50) * 1000, 2),
            p95_ms=round(percentile(durations, 0.95) * 1000, 2),
            failures=causes,
            octets=sum(one.octets for one in progress),
            events=sum(one.events for one in progress),
            displays=len(views),
            telegrams=sum(view.telegrams for view in views),
            interfaces=self.traffic(),
        )

    def _metered(self) -> tuple[int, int]:
        """How many meters there are, and how many were read by somebody."""
        meters = self.layout.premises * self.configuration.metering_points
        if not self.head_ends:
            return meters, sum(display.view().telegrams > 0 for display in self.displays.values())
        read = {
            device.serial
            for head_end in self.head_ends.values()
            for device in head_end.store.devices.all()
            if device.id in head_end.collector.progress.read and device.utility not in (GATEWAY, HOME)
        }
        return meters, len(read)

    def _completeness(self) -> float | None:
        """Over the whole days of the history."""
        today = int(time.time() // _DAY_S)
        counts = [
            row
            for head_end in self.head_ends.values()
            for row in head_end.store.blocks.completeness(today - head_end.config.collect.history_days + 1, today)
        ]
        expected = sum(row.expected for row in counts)
        return min(sum(row.present for row in counts) / expected, 1.0) if expected else None

    # -- the hand-held ------------------------------------------------------------------------------------------------

    async def read_locally(self, serial: str, *, from_s: float, to_s: float) -> LocalReading:
        """Have a hand-held read a meter at its local port; ConfigError for a meter that has none."""
        if serial not in self.local_ports:
            raise ConfigError(f"{serial} has no local port")
        password = Keys.derive(self._secret, serial).lls
        place = LocalPort(host="127.0.0.1", port=self.local_ports[serial], password=password)
        return await read_locally(place, who="hand-held", from_s=from_s, to_s=to_s)

    # -- traffic ------------------------------------------------------------------------------------------------------

    def traffic(self) -> tuple[InterfaceTraffic, ...]:
        """What went over each interface so far."""
        if not self.head_ends:
            return merged(self._field_traffic())
        return merged([row for head_end in self.head_ends.values() for row in Views(head_end).traffic()])

    def _field_traffic(self) -> list[InterfaceTraffic]:
        rows = [InterfaceTraffic(**msgspec.structs.asdict(row)) for row in self._carried]
        if self.displays:
            views = [display.view() for display in self.displays.values()]
            octets = sum(view.octets for view in views)
            rows.append(_row(Entity.METER, Entity.DISPLAY, len(views), len(views), octets, "meter – display"))
        if self.managers:
            managers = self.managers.values()
            sessions, octets = sum(one.sessions for one in managers), sum(one.octets for one in managers)
            rows.append(_row(Entity.LNAP, Entity.HOME, len(managers), sessions, octets, "LNAP – energy manager"))
        return rows


def _row(near: Entity, far: Entity, entities: int, sessions: int, octets: int, between: str) -> InterfaceTraffic:
    return InterfaceTraffic(
        label=label_of(near, far, Network.LOCAL), between=between, entities=entities, sessions=sessions, octets=octets
    )
