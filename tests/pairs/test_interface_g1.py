"""A head end and a gateway meet on interface G1, over real sockets: the meters behind it are read like any other."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from lnap_town import Air, RadioMeter, listed, settings
from meterway.base.obis import Obis
from meterway.headend.commands import Command
from meterway.headend.config import CollectConfig, HeadEndConfig
from meterway.headend.config import PushConfig as HeadEndPush
from meterway.headend.registry import import_csv
from meterway.headend.serve import HeadEnd
from meterway.interfaces.mbus.events import Code
from meterway.lnap.api import Lnap, PartyConfig, PushConfig, registry_rows, serve_lnap
from meterway.stacks.mbus.records.record import make_record
from meterway.stacks.mbus.telegram import decode, sender_of

HOUR = 3600
GAS = Obis(7, 0, 3, 0, 0)
AGE, VALUE, VALVE = Obis(0, 0, 128, 0, 0), Obis(0, 1, 24, 2, 1), Obis(0, 1, 24, 4, 0)
VALVE_OPEN = make_record(b"\xfd\x1a", 1, 1)
Work = Callable[[HeadEnd, Lnap, Air], Coroutine[Any, Any, None]]


def meet(tmp_path: Path, meter: RadioMeter, work: Work, **more: Any) -> None:
    """Run ``work`` with a gateway that has heard a gas meter for ten hours, and a head end that knows both."""

    async def both() -> None:
        shift = -10 * HOUR
        config = settings(tmp_path, meters=(listed(meter),), **more)
        async with serve_lnap(config, unix=lambda: time.time() + shift) as lnap:
            air = Air()
            lnap.attach(air)
            start = time.time() // HOUR * HOUR - 10 * HOUR
            for hour in range(10):
                lnap.ledger.capture(start + hour * HOUR + 1)
                air.say(meter.telegram(100 + hour, VALVE_OPEN), start + hour * HOUR + 1800)
            shift = 0
            lnap.ledger.capture(start + 10 * HOUR)
            head = head_end(tmp_path, lnap)
            await head.start()
            try:
                await work(head, lnap, air)
            finally:
                await head.stop()

    asyncio.run(both())


def head_end(tmp_path: Path, lnap: Lnap) -> HeadEnd:
    head = HeadEnd(
        HeadEndConfig(
            store=str(tmp_path / "store.sqlite"),
            master_key=str(tmp_path / "master.key"),
            push=HeadEndPush(
                port=lnap.config.push.port if lnap.config.push else 0, enabled=lnap.config.push is not None
            ),
            collect=CollectConfig(enabled=False, history_days=4, response_timeout_s=5.0),
        )
    )
    rows = registry_rows(lnap, "operator")
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    text.seek(0)
    imported = import_csv(text, name="lnap.csv", store=head.store, vault=head.vault, now_ms=0)
    assert imported.added == len(rows), imported.errors
    return head


@pytest.mark.covers("IF-G1", "IF-M", "F1a", "F2a", "UC-BI-01", "E-LNAP")
def test_a_head_end_collects_a_gas_meter_through_the_gateway(tmp_path: Path) -> None:
    meter = RadioMeter()

    async def work(head: HeadEnd, lnap: Lnap, air: Air) -> None:
        done = await head.collect_now(str(meter.address))
        assert done["cause"] in ("", "ok"), done
        device = head.store.devices.by_serial(str(meter.address))
        first = int(time.time() // 86400) - 1
        blocks = [stored.block for stored in head.store.blocks.read_range(device.id, first, first + 2)]
        assert {block.interval_s for block in blocks} == {HOUR}
        found = [int(v) for block in blocks for ch in block.channels for v in ch.values[ch.present]]
        assert found == [(100 + hour) * 1000 for hour in range(10)]
        kept = {reading.obis: reading for reading in head.store.readings.latest(device.id)}
        assert (kept[GAS].value, kept[GAS].scaler, kept[GAS].unit) == (109_000, -3, 13)
        assert 0 < kept[AGE].value < HOUR + 1800

    meet(tmp_path, meter, work)


@pytest.mark.covers("IF-G1", "F1a", "UC-BI-02")
def test_a_value_from_the_mirror_says_when_it_was_measured(tmp_path: Path) -> None:
    meter = RadioMeter()

    async def work(head: HeadEnd, lnap: Lnap, air: Air) -> None:
        serial = str(meter.address)
        told = await head.read(serial, Command(obis=VALUE, attribute="capture_time", class_id=4), actor="test")
        value = await head.read(serial, Command(obis=VALUE, class_id=4), actor="test")
        age = await head.read(serial, Command(obis=AGE, class_id=3), actor="test")
        assert (value.value, value.unit) == (109, "m³")
        assert told.refusal == age.refusal == ""
        assert 0 < float(str(age.value)) <= HOUR + 1800

    meet(tmp_path, meter, work)


@pytest.mark.covers("IF-G1", "IF-M", "UC-BI-05", "F4a")
def test_a_valve_command_goes_out_when_the_meter_listens_and_is_done_when_it_says_so(tmp_path: Path) -> None:
    meter = RadioMeter()

    async def work(head: HeadEnd, lnap: Lnap, air: Air) -> None:
        serial = str(meter.address)
        await head.act(serial, Command(obis=VALVE, method="remote_disconnect", class_id=70), actor="test")
        assert air.sent == []
        now = time.time()
        air.say(meter.telegram(110, VALVE_OPEN), now)
        octets, mode, _ = air.sent.pop()
        assert mode == "T2 down"
        assert sender_of(octets) == meter.address
        order = decode(octets, keys=[meter.key], allow_plain=False)
        assert [(record.head.vif, record.value) for record in order.records] == [("FD1F", 0)]
        state = await head.read(serial, Command(obis=VALVE, attribute="control_state", class_id=70), actor="test")
        assert state.value in (1, "connected")
        air.say(meter.telegram(110, make_record(b"\xfd\x1a", 0, 1), control=0x08), now + 1)
        state = await head.read(serial, Command(obis=VALVE, attribute="control_state", class_id=70), actor="test")
        assert state.value in (0, "disconnected")

    meet(tmp_path, meter, work)


@pytest.mark.covers("IF-G1", "UC-IN-01", "E-LNAP")
def test_a_head_end_binds_a_meter_and_gives_its_key(tmp_path: Path) -> None:
    gas, water = RadioMeter(), RadioMeter(kind=0x07, ident="20000002")

    async def work(head: HeadEnd, lnap: Lnap, air: Air) -> None:
        client = Obis(0, 2, 24, 1, 0)
        identity = {
            "identification_number": int(water.ident, 16),
            "manufacturer_id": water.address.manufacturer,
            "version": 1,
            "device_type": 7,
        }
        for name, value in identity.items():
            done = await head.set("LNAP0001", Command(obis=client, attribute=name, value=value, class_id=72), actor="t")
            assert done.refusal == ""
        for method, argument in (("slave_install", 0), ("set_encryption_key", "0x" + water.key.hex())):
            done = await head.act(
                "LNAP0001", Command(obis=client, method=method, value=argument, class_id=72), actor="t"
            )
            assert done.refusal == "", (method, done)
        air.say(water.telegram(7.5), time.time())
        value = lnap.gateway.mirror.get(2, Obis(8, 0, 1, 0, 0))
        assert value is not None
        assert value.raw == 7500
        done = await head.act("LNAP0001", Command(obis=client, method="slave_deinstall", class_id=72), actor="t")
        assert done.refusal == ""
        assert 2 not in lnap.gateway.channels

    meet(tmp_path, gas, work)


@pytest.mark.covers("IF-G1", "F3a", "SEC-11")
def test_the_gateways_own_events_and_diagnostics_are_collected(tmp_path: Path) -> None:
    meter = RadioMeter()

    async def work(head: HeadEnd, lnap: Lnap, air: Air) -> None:
        thief = RadioMeter(key=b"x" * 16, counter=99)
        air.say(thief.telegram(1), time.time())
        done = await head.collect_now("LNAP0001")
        assert done["cause"] in ("", "ok"), done
        device = head.store.devices.by_serial("LNAP0001")
        codes = [event.code for event in head.store.events.of_device(device.id, limit=50)]
        assert Code.NOT_AUTHENTIC in codes
        kept = {str(one.obis): one.value for one in head.store.readings.latest(device.id)}
        assert kept["0-0:128.2.1*255"] == 10

    meet(tmp_path, meter, work)


@pytest.mark.covers("IF-G1", "F3a")
def test_an_alarm_is_pushed_and_understood(tmp_path: Path) -> None:
    meter = RadioMeter()

    async def work(head: HeadEnd, lnap: Lnap, air: Air) -> None:
        await head.collect_now(str(meter.address))
        air.say(meter.telegram(5, VALVE_OPEN), time.time())
        lnap.tick()
        device = head.store.devices.by_serial(str(meter.address))
        async with asyncio.timeout(10):
            while not [one for one in head.store.events.of_device(device.id, limit=9) if one.log == "push"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        (pushed,) = [one for one in head.store.events.of_device(device.id, limit=9) if one.log == "push"]
        assert pushed.code == 1 << 4

    port = 0

    async def free() -> int:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        number = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return int(number)

    port = asyncio.run(free())
    meet(tmp_path, meter, work, push=PushConfig(port=port, party="operator", retry_s=0.1))


@pytest.mark.covers("SEC-03", "SEC-13", "X-14")
def test_a_party_sees_its_own_channel_its_own_way_and_no_other(tmp_path: Path) -> None:
    meter = RadioMeter()
    supplier = PartyConfig(name="supplier", client=7, secret="22" * 16, channels=(1,))

    async def work(head: HeadEnd, lnap: Lnap, air: Air) -> None:
        rows = registry_rows(lnap, "supplier", channels=(0, 1))
        text = io.StringIO()
        for row in rows:
            row["serial"] = f"supplier-{row['serial']}"
            row["system_title"] = ""
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        text.seek(0)
        import_csv(text, name="s.csv", store=head.store, vault=head.vault, now_ms=0)
        mine = await head.read(f"supplier-{meter.address}", Command(obis=GAS, class_id=3), actor="t")
        assert mine.value == 109
        refused = await head.act(
            f"supplier-{meter.address}", Command(obis=VALVE, method="remote_disconnect", class_id=70), actor="t"
        )
        assert refused.refusal == "read-write-denied"
        done = await head.collect_now("supplier-LNAP0001")
        assert done["cause"] == "rejected"
        assert any(event.code is Code.ACCESS_DENIED for event in lnap.ledger.events(0, 0, 1e12))

    meet(tmp_path, meter, work, parties=(supplier,))
