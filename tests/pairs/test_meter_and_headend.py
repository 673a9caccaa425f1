"""A head end and a meter meet on interface I: collection, commands, and what happens when the meter is faulty."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from meterway.base.errors import MeterwayError
from meterway.base.obis import Obis
from meterway.headend.commands import Command
from meterway.headend.config import CollectConfig, HeadEndConfig
from meterway.headend.config import PushConfig as HeadEndPush
from meterway.headend.registry import import_csv
from meterway.headend.serve import HeadEnd
from meterway.meter.api import Fault, Keys, ListenConfig, MeterConfig, MeterHost, inject, serve_meters
from meterway.stacks.dlms.classes.disconnect_control import ControlState

METERS = [
    MeterConfig(serial=f"M{n}", keys=Keys.derive(bytes(range(16)), f"M{n}"), profile_days=5, country=country)
    for n, country in ((1, "idis"), (2, "smr5"))
]
SWITCH = Obis(0, 0, 96, 3, 10)


def meet(tmp_path: Path, transport: Any, work: Callable[[HeadEnd, MeterHost], Coroutine[Any, Any, None]]) -> None:
    """Run ``work`` with a head end that knows the two meters."""

    async def both() -> None:
        config = HeadEndConfig(
            store=str(tmp_path / "store.sqlite"),
            master_key=str(tmp_path / "master.key"),
            push=HeadEndPush(enabled=False),
            collect=CollectConfig(enabled=False, history_days=4, response_timeout_s=1.0),
        )
        async with serve_meters(METERS, listen=[ListenConfig(port=0, transport=transport)]) as host:
            head = HeadEnd(config)
            lines = ["serial,profile,system_title,transport,host,port,guek,gak"]
            lines += [
                f"{meter.serial},{meter.country},{meter.title.hex()},{transport},127.0.0.1,{endpoint.port},"
                f"{meter.keys.guek.hex()},{meter.keys.gak.hex()}"
                for meter, endpoint in zip(METERS, host.endpoints, strict=True)
            ]
            text = io.StringIO("\n".join(lines))
            imported = import_csv(text, name="meters.csv", store=head.store, vault=head.vault, now_ms=0)
            assert imported.added == 2, imported.errors
            await head.start()
            try:
                await work(head, host)
            finally:
                await head.stop()

    asyncio.run(both())


@pytest.mark.covers("IF-I", "F1a", "UC-BI-01", "UC-BI-02")
@pytest.mark.parametrize("transport", ["tcp", "hdlc"])
def test_a_head_end_collects_a_meter(tmp_path: Path, transport: str) -> None:
    async def work(head: HeadEnd, host: MeterHost) -> None:
        done = await head.collect_now("M1")
        assert done["cause"] in ("", "ok"), done
        assert int(done["values"]) >= 4 * 90 * 4
        answered = await head.read("M1", Command(obis=Obis(1, 0, 1, 8, 0)), actor="test")
        expected = host.meters["M1"].energy_at(host.now())[0]
        assert answered.unit == "Wh"
        assert float(str(answered.value)) == pytest.approx(expected, abs=200)

    meet(tmp_path, transport, work)


def times_of(head: HeadEnd, code: str) -> list[int]:
    """When the readings of a register were taken that the store has of the Dutch meter."""
    device = head.store.devices.by_serial("M2").id
    return [stored.time_ms // 1000 for stored in head.store.readings.read_range(device, Obis.parse(code), 0, 1 << 53)]


@pytest.mark.covers("IF-I", "F1a", "UC-BI-01", "F3a")
@pytest.mark.parametrize("transport", ["tcp", "hdlc"])
def test_a_head_end_collects_all_that_a_dutch_meter_has(tmp_path: Path, transport: str) -> None:
    async def work(head: HeadEnd, host: MeterHost) -> None:
        done = await head.collect_now("M2")
        assert done["cause"] in ("", "ok"), done
        device = head.store.devices.by_serial("M2").id
        detail = msgspec.json.decode(head.store.contacts.of_device(device)[0].detail)
        assert detail["refusals"] == []
        assert detail["refused_rows"] == 0
        meter = host.meters["M2"]
        hours = times_of(head, "0-1:24.2.1*255")
        assert len(hours) >= 4 * 24
        days = [moment for moment in times_of(head, "1-0:1.8.1*255") if moment == meter.zone.midnight(moment)]
        assert len(days) >= 4
        answered = await head.read("M2", Command(obis=Obis(0, 1, 24, 2, 1), class_id=4), actor="test")
        assert answered.unit == "m³"

    meet(tmp_path, transport, work)


@pytest.mark.covers("F4a", "F4b", "UC-BI-05")
def test_a_head_end_disconnects_and_reconnects_a_supply(tmp_path: Path) -> None:
    async def work(head: HeadEnd, host: MeterHost) -> None:
        await head.act("M1", Command(obis=SWITCH, method="remote_disconnect", class_id=70), actor="test")
        assert host.meters["M1"].control_state is ControlState.DISCONNECTED
        await head.act("M1", Command(obis=SWITCH, method="remote_reconnect", class_id=70), actor="test")
        assert host.meters["M1"].control_state is ControlState.CONNECTED

    meet(tmp_path, "tcp", work)


@pytest.mark.covers("SEC-11", "SEC-12")
@pytest.mark.parametrize("fault", [Fault.HANG, Fault.CLOSE_MID_FRAME, Fault.WRONG_INVOKE_ID, Fault.WRONG_KEY])
def test_a_faulty_meter_is_an_error_and_the_other_one_is_read(tmp_path: Path, fault: Fault) -> None:
    async def work(head: HeadEnd, host: MeterHost) -> None:
        inject(host, "M1", fault)
        name = Command(obis=Obis(0, 0, 42, 0, 0))
        with pytest.raises(MeterwayError):
            await head.read("M1", name, actor="test")
        answered = await head.read("M2", name, actor="test")
        assert answered.refusal == ""

    meet(tmp_path, "tcp", work)
