"""Two concentrators hear the same battery meter on one simulated air; the head end has each value once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lnap_town import RadioMeter, listed
from meterway.base.obis import Obis
from meterway.headend.api import Views
from meterway.headend.commands import Command
from meterway.headend.config import BulkConfig
from meterway.headend.gateway_keys import MASTER, keys_behind
from meterway.headend.serve import HeadEnd
from meterway.headend.web.server import serve
from meterway.headend.web.tokens import new_token
from meterway.interfaces.mbus.mirror import OrderState
from meterway.interfaces.mbus.settings import RadioConfig
from meterway.links.medium.air import Station
from meterway.links.medium.client import RadioClient
from meterway.links.medium.hub import RadioHub
from meterway.links.radio import RadioPort
from meterway.meter.mbus import api as mbus
from meterway.nnap.api import Nnap, ReportConfig
from meterway.stacks.mbus.application import ClockOrder
from meterway.stacks.mbus.wireless.modes import MODES
from meterway.store.devices import GATEWAY, NewDevice
from nnap_network import until
from nnap_radio import PARTY, settings
from pairs.test_interface_g2 import head_end

pytestmark = pytest.mark.covers("IF-C", "IF-G2", "E-NNAP", "E-HES-1", "E-HES-2")

GAS, VOLUME, VALVE = "MWY-10000001-01-03", Obis(7, 0, 3, 1, 0), Obis(0, 1, 24, 4, 0)
KEY = bytes(range(16))
SECRET = bytes.fromhex(PARTY.secret)
NEAR, FAR = (10.0, 0.0, 0.0), (900.0, 0.0, 0.0)


@asynccontextmanager
async def air_of(meter: mbus.MeterConfig) -> AsyncIterator[tuple[int, mbus.MbusHost]]:
    """The port of an air on which a virtual meter speaks in mode N."""
    hub, client = RadioHub(MODES), RadioClient()
    port = await hub.open()
    await client.connect(port)

    def join(one: mbus.MbusMeter) -> RadioPort:
        return client.join(Station(name=one.config.ident, place=(0.0, 0.0, 0.0), hears=mbus.hears(one.config)))

    host = mbus.MbusHost(mbus.HostConfig(meters=(meter,)), join)
    await host.start()
    try:
        yield port, host
    finally:
        await host.stop()
        client.close()
        await hub.close()


async def mast(
    folder: Path,
    serial: str,
    air: int,
    place: tuple[float, float, float],
    report: ReportConfig | None = None,
    *,
    listed_: bool = True,
) -> Nnap:
    meters = (listed(RadioMeter(ident="10000001", key=KEY)),) if listed_ else ()
    radio = RadioConfig(port=air, station=serial, place=place, hears=("N1a",))
    config = settings(folder, serial=serial, battery_meters=meters, radios=(radio,), report=report)
    nnap = Nnap(config)
    await nnap.start()
    return nnap


def register(head: HeadEnd, *nnaps: Nnap) -> None:
    for nnap in nnaps:
        serial = nnap.config.serial
        keys = keys_behind(SECRET, "operator", serial, serial) | {MASTER: SECRET}
        device = NewDevice(
            serial=serial, utility=GATEWAY, profile="nnap", host="127.0.0.1", port=nnap.port,
            keys=head.vault.seal_all(serial, keys),
        )  # fmt: skip
        head.store.devices.add(device, now_ms=1)


@pytest.mark.covers("UC-BI-02", "UC-BI-05", "E-HES-4")
def test_the_one_that_hears_best_answers_for_the_meter_and_switches_it(tmp_path: Path) -> None:
    async def live() -> None:
        config = mbus.MeterConfig(
            ident="10000001", utility=mbus.Utility.GAS, key=KEY.hex(), valve=True, radio="N1a", interval_s=2.0
        )
        async with air_of(config) as (air, host):
            near, far = await mast(tmp_path, "NNAP1", air, NEAR), await mast(tmp_path, "NNAP2", air, FAR)
            head = head_end(tmp_path)
            register(head, near, far)
            await head.start()
            try:
                await until(lambda: _heard(near) and _heard(far), 30.0)
                assert (await head.collect_now("NNAP2"))["cause"] == "ok"
                assert (await head.collect_now("NNAP1"))["cause"] == "ok"
                chain = Views(head).meter(GAS).chain
                assert [step.serial for step in chain] == ["NNAP1", GAS]
                assert [one.serial for one in chain[-1].hearers] == ["NNAP1", "NNAP2"]
                told = await head.read(GAS, Command(obis=VOLUME), actor="t")
                assert told.age_s is not None
                assert abs(float(str(told.value)) * 1000 - host.meter("10000001").at(host.now())[0]) < 5
                close = Command(obis=VALVE, class_id=70, method="remote_disconnect")
                assert (await head.act(GAS, close, actor="t")).refusal == ""
                await until(lambda: host.meter("10000001").valve is not mbus.Valve.OPEN, 30.0)
                assert far.collector is not None
                assert far.collector.gateway.mailbox.of(1) == [], "only one of them was told"
                clock = ClockOrder(moment=datetime.now(UTC).replace(tzinfo=None, microsecond=0))
                other = far.collector.gateway.order(
                    1, "clock", clock.encode(), ci=clock.ci, now=far.now(), valid_s=60.0
                )
                await until(lambda: not other.is_open, 30.0)
                assert other.state is OrderState.DONE, "the meter has one counter for all who have its key"
                assert near.collector is not None
                assert near.collector.places.airings[0]._own != far.collector.places.airings[0]._own
            finally:
                await head.stop()
                await near.stop()
                await far.stop()

    asyncio.run(live())


@pytest.mark.covers("UC-IN-01", "UC-IN-02", "E-HES-4", "SEC-04")
def test_a_head_end_has_a_meter_bound_keyed_its_clock_set_and_released(tmp_path: Path) -> None:
    async def live() -> None:
        config = mbus.MeterConfig(
            ident="10000001",
            utility=mbus.Utility.GAS,
            key=KEY.hex(),
            radio="N1a",
            interval_s=2.0,
            clock_offset_s=-500.0,
        )
        async with air_of(config) as (air, host):
            nnap = await mast(tmp_path, "NNAP1", air, NEAR, listed_=False)
            head = head_end(tmp_path)
            register(head, nnap)
            await head.start()
            try:
                assert nnap.collector is not None
                strangers = nnap.collector.gateway.strangers
                await until(lambda: strangers is not None and bool(strangers.known), 30.0)
                await head.collect_now("NNAP1")
                assert head.store.devices.find(GAS) is None
                bound = await head.couple("NNAP1", 3, address=GAS, key=KEY, actor="t")
                assert bound.refusal == ""
                device = head.store.devices.by_serial(GAS)
                assert (device.profile, device.flags["channel"]) == ("mbus-gas", 3)
                await until(lambda: bool(nnap.collector and nnap.collector.gateway.mirror.of(3)), 30.0)
                assert host.meter("10000001").clock_offset_s == -500.0
                ordered = Command(obis=Obis(0, 1, 24, 1, 0), class_id=72, method="synchronize_clock")
                assert (await head.act(GAS, ordered, actor="t")).refusal == ""
                await until(lambda: abs(host.meter("10000001").clock_offset_s) < 5, 30.0)
                assert (await head.decouple(GAS, actor="t")).refusal == ""
                assert head.store.devices.by_serial(GAS).parent is None
                assert nnap.collector.gateway.meters == {}
            finally:
                await head.stop()
                await nnap.stop()

    asyncio.run(live())


def _heard(nnap: Nnap) -> bool:
    return nnap.collector is not None and bool(nnap.collector.gateway.mirror.of(1))


def test_both_deliver_and_the_head_end_has_each_value_once(tmp_path: Path) -> None:
    """Hours of telegrams that both heard go into reports of both, over HTTP, to a head end that runs."""

    async def live() -> None:
        tokens = tmp_path / "tokens"
        head = head_end(tmp_path, bulk=BulkConfig(tokens=str(tokens)))
        pages = await serve(head)
        nnaps = []
        try:
            for serial, missed in (("NNAP1", ()), ("NNAP2", (4, 5))):
                token = new_token(tokens, serial)
                report = ReportConfig(url=f"{pages.address}g2/reports", token=token, every_s=0.5, retry_s=0.5)
                nnaps.append(await mast(tmp_path, serial, 1, NEAR, report))
                register(head, nnaps[-1])
                _lived(nnaps[-1], missed)
            wanted = {hour: 1000 * hour for hour in range(1, 9)}
            await until(lambda: _slots(head) == wanted and not any(one.store.reports() for one in nnaps), 30.0)
            assert head.delivery.results["refused"] == 0, list(head.live.recent)
            days = head.store.blocks.read_range(head.store.devices.by_serial(GAS).id, 0, 40000)
            assert {day.revision for day in days} == {1}
        finally:
            for nnap in nnaps:
                await nnap.stop()
            await pages.stop()
            await head.stop()

    asyncio.run(live())


def _lived(nnap: Nnap, missed: tuple[int, ...]) -> None:
    """What it heard in the last hours, but for those it missed."""
    assert nnap.collector is not None
    meter, start = RadioMeter(ident="10000001", key=KEY), _first_hour()
    for hour in range(1, 9):
        nnap.collector.ledger.capture(start + 3600 * (hour - 1) + 1)
        telegram = meter.telegram(float(hour))
        if hour not in missed:
            heard = nnap.collector.gateway.receive(
                telegram, link="radio", now=start + 3600 * (hour - 1) + 1800, mode="N1a", rssi_dbm=-60.0
            )
            nnap.collector.ledger.heard(heard)


def _first_hour() -> int:
    return int(time.time()) // 3600 * 3600 - 8 * 3600


def _slots(head: HeadEnd) -> dict[int, int]:
    start, device = _first_hour(), head.store.devices.find(GAS)
    if device is None:
        return {}
    found: dict[int, int] = {}
    for stored in head.store.blocks.read_range(device.id, start // 86400, int(time.time()) // 86400 + 1):
        (channel,) = stored.block.channels
        for slot, (value, there) in enumerate(zip(channel.values, channel.present, strict=True)):
            if there:
                found[(stored.block.start_s + slot * 3600 - start) // 3600] = int(value)
    return found
