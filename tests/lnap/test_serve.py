"""The gateway as a process: it starts, ticks, serves each side on its port alone, and comes back as it was."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lnap_town import NOON, Air, RadioMeter, listed, settings
from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.settings import RadioConfig
from meterway.links.medium.air import Station
from meterway.links.medium.client import RadioClient
from meterway.links.medium.hub import RadioHub
from meterway.lnap.links_config import SideConfig
from meterway.lnap.serve import Lnap
from meterway.stacks.mbus.wireless.modes import MODES

GAS = Obis(7, 0, 3, 0, 0)


@pytest.mark.covers("E-LNAP")
def test_a_gateway_comes_back_with_what_it_heard(tmp_path: Path) -> None:
    meter = RadioMeter()

    async def once(now: float, *, speak: bool) -> Lnap:
        lnap = Lnap(settings(tmp_path, meters=(listed(meter),)), unix=lambda: now)
        await lnap.start()
        if speak:
            air = Air()
            lnap.attach(air)
            air.say(meter.telegram(12.345), now)
            lnap.tick()
        await lnap.stop()
        return lnap

    asyncio.run(once(NOON, speak=True))
    again = asyncio.run(once(NOON + 60, speak=False))
    shown = again.gateway.mirror.get(1, GAS)
    assert shown is not None
    assert shown.raw == 12345


@pytest.mark.covers("SEC-13")
def test_each_side_has_a_port_of_its_own_or_none(tmp_path: Path) -> None:
    async def run() -> None:
        lnap = Lnap(settings(tmp_path, home=SideConfig(port=0)))
        await lnap.start()
        assert set(lnap.ports) == {"wan", "home"}
        assert lnap.ports["wan"] != lnap.ports["home"]
        taken = Lnap(
            settings(tmp_path, store=str(tmp_path / "other"), wan=SideConfig(port=lnap.ports["wan"])),
        )
        with pytest.raises(ConfigError, match="cannot listen"):
            await taken.start()
        await lnap.stop()

    asyncio.run(run())


@pytest.mark.covers("F3a")
def test_a_silent_meter_is_an_alarm(tmp_path: Path) -> None:
    meter, clock = RadioMeter(), [NOON]

    async def run() -> None:
        lnap = Lnap(settings(tmp_path, meters=(listed(meter),), silent_after_s=600.0), unix=lambda: clock[0])
        await lnap.start()
        air = Air()
        lnap.attach(air)
        air.say(meter.telegram(1), NOON)
        clock[0] = NOON + 601
        lnap.tick()
        assert lnap.site.alarms[1] & 1
        assert Code.COMMUNICATION_ERROR in [event.code for event in lnap.ledger.events(1, 0, 1e12)]
        await lnap.stop()

    asyncio.run(run())


@pytest.mark.covers("IF-M")
def test_the_gateway_hears_the_simulated_air_of_a_hub(tmp_path: Path) -> None:
    meter = RadioMeter()

    async def run() -> None:
        hub = RadioHub(MODES)
        port = await hub.open()
        lnap = Lnap(settings(tmp_path, meters=(listed(meter),), radios=(RadioConfig(port=port),)))
        await lnap.start()
        client = RadioClient()
        await client.connect(port)
        sender = client.join(Station(name="meter", place=(3.0, 0.0, 0.0)))
        async with asyncio.timeout(20):
            while lnap.gateway.mirror.get(1, GAS) is None:
                if lnap.airings:
                    sender.send(meter.telegram(5), mode="T1")
                await asyncio.sleep(0.05)
        client.close()
        await lnap.stop()
        await hub.close()

    asyncio.run(run())


def test_one_turn_of_the_clock_that_fails_is_said_and_does_not_end_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meterway.lnap.serve._TICK_S", 0.01)
    turns: list[int] = []
    enough = asyncio.Event()

    def fails() -> None:
        turns.append(1)
        if len(turns) == 3:
            enough.set()
        raise ValueError("not foreseen")

    async def work() -> None:
        lnap = Lnap(settings(tmp_path))
        monkeypatch.setattr(lnap, "tick", fails)
        await lnap.start()
        async with asyncio.timeout(10):
            await enough.wait()
        await lnap.stop()

    asyncio.run(work())
    assert "not foreseen" in caplog.text
