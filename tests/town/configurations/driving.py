"""The use cases, driven through whatever configuration runs: what is asked of the head end is checked in the field."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from meterway.base.obis import Obis
from meterway.headend.commands import Command
from meterway.headend.load_state import kept_load
from meterway.headend.serve import HeadEnd
from meterway.home.rules import Cause
from meterway.mapping.home import LOAD_ORDER, RELAYS, LoadOrder
from meterway.stacks.dlms import axdr
from meterway.town.configurations.running import Running
from meterway.town.configurations.shape import Kind, UseCase
from meterway.town.configurations.summary import ConfigurationSummary

__all__ = ["DRIVEN", "Driven", "running"]

ENERGY, SWITCH, VALVE = Obis(1, 0, 1, 8, 0), Obis(0, 0, 96, 3, 10), Obis(0, 1, 24, 4, 0)
TOTALS = {
    Kind.GAS: Obis(7, 0, 3, 1, 0),
    Kind.WATER: Obis(8, 0, 1, 0, 0),
    Kind.HEAT: Obis(6, 0, 1, 0, 0),
    Kind.MODULE: ENERGY,
    Kind.LOAD: ENERGY,
}
NEAR = {Kind.ELECTRICITY: 50, Kind.GAS: 5, Kind.WATER: 5, Kind.HEAT: 1000, Kind.MODULE: 50, Kind.LOAD: 50}
"""How far apart two looks at a register may be: a heat meter tells whole kWh."""
IN_WH = (Kind.HEAT, Kind.ELECTRICITY, Kind.MODULE, Kind.LOAD)
OPENED = 44
OVERRIDDEN = 40
RELAY_1 = Obis(0, 1, 96, 3, 10)
LOCAL_ACCESS = 158
PUSHED_S = 3.0
"""Until the meter's push of the alarm is over: a concentrator takes one for the answer to what it just relayed."""
FRAUD_LOG = Obis(0, 0, 99, 98, 1)
FRAUD = {103, 225}
SLIP_S = 600.0
SESSION_S = 1.0
"""How long a session on the air lasts: a meter's demand for access that falls into one is lost."""


@asynccontextmanager
async def running(label: str, folder: Path, *, meters: int = 3, every_s: float = 60.0) -> AsyncIterator[Running]:
    """A configuration with its first collection behind it."""
    at = Running(label, meters, folder, every_s=every_s, speak_s=2.0)
    try:
        await at.start()
        yield at
    finally:
        await at.stop()


class Driven:
    """One part of a configuration that runs, through which a use case is driven."""

    def __init__(self, at: Running, part: str, summary: ConfigurationSummary) -> None:
        self.at = at
        self.summary = summary
        self.thing = at.layout.named(part)[0]
        self.kind = self.thing.part.kind

    @property
    def head_end(self) -> HeadEnd:
        return next(iter(self.at.head_ends.values()))

    @property
    def serial(self) -> str:
        """What the registry calls it."""
        ident = self.thing.serial
        devices = self.head_end.store.devices.all()
        return next(one.serial for one in devices if one.serial == ident or f"-{ident}-" in one.serial)

    @property
    def device(self) -> int:
        return self.head_end.store.devices.by_serial(self.serial).id

    async def facts(self, what: str = "look", value: float = 0.0) -> dict[str, float]:
        return await self.at.happen(self.thing.serial, what, value)

    async def value(self, obis: Obis, attribute: str | int = 2, class_id: int | None = None) -> object:
        wanted = Command(obis=obis, attribute=attribute, class_id=class_id)
        return (await self.head_end.read(self.serial, wanted, actor="test")).value

    async def act(self, obis: Obis, method: str) -> str:
        done = await self.head_end.act(self.serial, Command(obis=obis, class_id=70, method=method), actor="test")
        return done.refusal


async def until(condition: Callable[[], Awaitable[bool]], limit_s: float = 30.0) -> None:
    async with asyncio.timeout(limit_s):
        while not await condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.05)


def _small(value: int, scaler: int, kind: Kind) -> float:
    """In the units of the meter's own register: Wh or litres."""
    return value * 10.0**scaler * (1 if kind in IN_WH else 1000)


# -- the use cases ----------------------------------------------------------------------------------------------------


async def scheduled(it: Driven) -> None:
    """The first collection is the schedule's."""
    if it.kind is Kind.DISPLAY:
        view = next(iter(it.at.displays.values())).view()
        truth = (await it.at.happen("M0001", "look"))["energy"]
        shown = sum(float(row.value) * 1000 for row in view.registers if row.label == "Consumed")
        assert abs(shown - truth) < 50, (view.registers, truth)
        return
    wanted, fact = (ENERGY, "energy") if it.kind in (Kind.ELECTRICITY, Kind.LOAD) else (TOTALS[it.kind], "register")
    kept = {one.obis: one for one in it.head_end.store.readings.latest(it.device)}
    assert abs(_small(kept[wanted].value, kept[wanted].scaler, it.kind) - (await it.facts())[fact]) < NEAR[it.kind]


async def on_demand(it: Driven) -> None:
    if it.kind is Kind.HAND_HELD:
        await _on_demand_locally(it)
        return
    if it.kind in (Kind.ELECTRICITY, Kind.LOAD):
        truth = (await it.facts())["energy"]
        assert truth > 0
        assert abs(float(str(await it.value(ENERGY))) - truth) < 50
        return
    truth = (await it.facts())["register"]
    told = float(str(await it.value(TOTALS[it.kind])))
    assert abs(told * (1 if it.kind in IN_WH else 1000) - truth) < NEAR[it.kind]


async def command(it: Driven) -> None:
    """Off and, where that is done from afar, on again; what counts is how the meter stands."""
    if it.kind is Kind.LOAD:
        await _load_is_switched(it)
        return
    switch = SWITCH if it.kind is Kind.ELECTRICITY else VALVE
    assert (await it.facts())["connected"] == 1
    assert await it.act(switch, "remote_disconnect") == ""

    async def is_off() -> bool:
        return (await it.facts())["connected"] == 0

    await until(is_off)

    async def is_told() -> bool:
        return await it.value(switch, "control_state", 70) in (0, "disconnected")

    await until(is_told)


async def event(it: Driven) -> None:
    """Somebody opens the case: the head end hears of it without asking."""
    if it.kind is Kind.LOAD:
        await _override_is_reported(it)
        return
    if it.kind is Kind.DISPLAY:
        await _power_fails(it)
        return
    if it.kind is Kind.HAND_HELD:
        await _local_access_is_told(it)
        return
    await asyncio.sleep(SESSION_S)
    await it.facts("tamper")
    if it.at.layout.of(Kind.CONCENTRATOR):
        await (_is_in_the_log(it) if it.kind is Kind.ELECTRICITY else _is_collected(it))
        return

    async def is_known() -> bool:
        found = it.head_end.store.events.of_device(it.device, limit=100)
        return any(one.log == "push" for one in found)

    await until(is_known)
    await it.head_end.collect_now(it.serial)
    codes = {one.code for one in it.head_end.store.events.of_device(it.device, limit=100)}
    assert codes & ({OPENED} if it.kind is Kind.ELECTRICITY else FRAUD)


async def _load_is_switched(it: Driven) -> None:
    """Relay 1 off for a quarter of an hour, after a random wait of its own; its contact confirms it."""
    assert (await it.facts())["connected"] == 1
    order = LoadOrder(ident=7, relays=1, duration_s=900, offset_s=3)
    wanted = Command(obis=LOAD_ORDER, class_id=1, attribute="value", value=axdr.native(order.encode()))
    assert (await it.head_end.set(it.serial, wanted, actor="test")).refusal == ""

    async def is_off() -> bool:
        return (await it.facts())["connected"] == 0

    await until(is_off)
    assert await it.value(RELAY_1, "output_state", 70) is False
    relays = await it.value(RELAYS, "value", 1)
    assert isinstance(relays, list)
    assert [row[1:3] for row in relays if isinstance(row, list)] == [[False, Cause.ORDER], [True, Cause.NOTHING]]


async def _override_is_reported(it: Driven) -> None:
    """The consumer wants warm water all the same: it goes on, and the head end reads so in the log."""
    pressed = await it.facts("override", 1.0)
    assert (pressed["connected"], pressed["overridden"]) == (1, 1)

    async def is_known() -> bool:
        await it.head_end.collect_now(it.serial)
        return OVERRIDDEN in {one.code for one in it.head_end.store.events.of_device(it.device, limit=100)}

    await until(is_known)
    assert await it.value(RELAY_1, "output_state", 70) is True
    kept = kept_load(it.head_end.store, it.device)
    assert kept is not None
    assert [(one.on, one.cause) for one in kept.relays] == [(True, "override"), (True, "nothing")]
    assert kept.order.startswith("7: relay 1 off, for 900 s")


async def _on_demand_locally(it: Driven) -> None:
    """While its line is down the meter answers at its local port, and nowhere else."""
    await it.at.happen("M0001", "line down")
    try:
        assert (await it.head_end.collect_now("M0001"))["cause"] == "link"
        now = time.time()
        brought = await it.at.read_locally("M0001", from_s=now - 3600, to_s=now)
        truth = (await it.at.happen("M0001", "look"))["energy"]
        register = next(one.raw() for one in brought.registers if one.obis == str(ENERGY))
        assert abs(float(str(axdr.to_native(register.octets)[0])) - truth) < 50
    finally:
        await it.at.happen("M0001", "line up")


async def _local_access_is_told(it: Driven) -> None:
    """That somebody was at the local port stands in the meter's log, which the head end reads."""
    store = it.head_end.store
    meter = store.devices.by_serial("M0001").id
    now = time.time()
    await it.at.read_locally("M0001", from_s=now - 60, to_s=now)
    assert (await it.head_end.collect_now("M0001"))["cause"] == "ok"
    found = [one for one in store.events.of_device(meter, limit=100) if one.code == LOCAL_ACCESS]
    assert any(abs(one.time_ms / 1000 - now) < 5 for one in found)


async def _is_in_the_log(it: Driven) -> None:
    """Behind a concentrator the head end asks the meter itself, end to end, for what its log holds."""
    now = time.time()
    asked = Command(obis=FRAUD_LOG, class_id=7, from_s=now - 60, to_s=now + 60)
    told = await it.head_end.read(it.serial, asked, actor="test")
    assert isinstance(told.value, dict)
    rows = told.value["rows"]
    assert isinstance(rows, list)
    assert OPENED in [row[1] for row in rows if isinstance(row, list)]


async def _is_collected(it: Driven) -> None:
    """What a gateway behind a concentrator pushes goes through it; what it logged is there with the next call."""

    async def is_known() -> bool:
        await it.head_end.collect_now(it.serial)
        for concentrator in it.at.layout.of(Kind.CONCENTRATOR):  # whose line it is by what is said there
            await it.head_end.collect_now(concentrator.serial)
        found = it.head_end.store.events.of_device(it.device, limit=100)
        is_pushed = any(one.log == "push" for one in found) or it.at.configuration.label != "P4"
        return is_pushed and bool({one.code for one in found} & FRAUD)

    await until(is_known)


async def _power_fails(it: Driven) -> None:
    """A display without telegrams shows how old its values are; it goes on when the power is back."""
    display = next(iter(it.at.displays.values()))
    before = display.view().telegrams
    await it.at.happen("M0001", "cut")
    await asyncio.sleep(2.5)
    dark = display.view()
    assert dark.telegrams <= before + 1
    assert dark.age_s is not None
    assert dark.age_s > 1.2
    await it.at.happen("M0001", "restore")

    async def goes_on() -> bool:
        return display.view().telegrams > dark.telegrams

    await until(goes_on)


async def clock(it: Driven) -> None:
    """A clock that slipped is put right at the next call; on a display it shows."""
    if it.kind is Kind.DISPLAY:
        display = next(iter(it.at.displays.values()))
        await it.at.happen("M0001", "clock", SLIP_S)

        async def shows() -> bool:
            told = display.view().clock
            return told is not None and abs(told.timestamp() - time.time() - SLIP_S) < 10

        await until(shows)
        return
    slipped = await it.facts("clock", SLIP_S)
    assert abs(slipped["clock_error_s"]) > SLIP_S - 60
    done = await it.head_end.collect_now(it.serial)
    assert done["cause"] == "ok", done
    assert abs((await it.facts())["clock_error_s"]) < 10


DRIVEN: dict[UseCase, Callable[[Driven], Awaitable[None]]] = {
    UseCase.SCHEDULED: scheduled,
    UseCase.ON_DEMAND: on_demand,
    UseCase.COMMAND: command,
    UseCase.EVENT: event,
    UseCase.CLOCK: clock,
}
