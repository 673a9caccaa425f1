"""What upper floors may do to utility meters."""

from __future__ import annotations

import asyncio

import pytest

from meterway.base.errors import ConfigError
from meterway.links.radio import OnReception
from meterway.meter.mbus import api
from meterway.meter.mbus.valve import Input
from meterway.stacks.mbus.wireless.frames import decode_radio

NOW = 1_795_446_000.0


class Port:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def listen(self, on_reception: OnReception) -> None:
        self.on_reception = on_reception

    def send(self, octets: bytes, *, mode: str, delay_s: float = 0.0) -> None:
        self.sent.append(octets)

    def close(self) -> None:
        self.sent.clear()


def config() -> api.HostConfig:
    gas = api.MeterConfig(ident="60000001", utility=api.Utility.GAS, security=0, valve=True)
    water = api.MeterConfig(ident="60000002", utility=api.Utility.WATER, security=0, bidirectional=False)
    return api.HostConfig(meters=(gas, water))


@pytest.mark.covers("F2a", "F4b")
def test_meters_are_disturbed_healed_and_pressed() -> None:
    async def play() -> None:
        async with api.running(config(), unix=lambda _: NOW) as host:
            water, gas = host.meter("60000002"), host.meter("60000001")
            api.inject(host, "60000002", api.Condition.LEAK)
            assert water.alarms == api.Alarm.LEAK
            api.heal(host, "60000002", api.Condition.LEAK)
            assert water.alarms == 0
            api.alarm(host, "60000002", api.Alarm.MAGNET)
            assert water.alarms == api.Alarm.MAGNET
            gas.move_valve(Input.CLOSE, NOW)
            assert api.press(host, "60000001") is api.Valve.CLOSED
            gas.move_valve(Input.RELEASE, NOW)
            assert api.press(host, "60000001") is api.Valve.TESTING
            for what, who in ((api.press, "60000002"), (api.install, "60000001"), (api.press, "1")):
                with pytest.raises(ConfigError):
                    what(host, who)
            with pytest.raises(ConfigError, match="does not happen"):
                api.inject(host, "60000001", api.Condition.BURST)

    asyncio.run(play())


def test_an_installer_makes_a_meter_ask_to_be_taken_in() -> None:
    async def play() -> None:
        port = Port()
        async with api.running(config(), lambda meter: port, unix=lambda _: NOW) as host:
            api.install(host, "60000001")
            assert host.airing is not None
            host.airing.run(NOW)
            assert [decode_radio(frame).name for frame in port.sent] == ["SND-IR"]

    asyncio.run(play())


def test_a_meter_that_is_taken_in_speaks_by_its_interval_again() -> None:
    async def play() -> None:
        port = Port()
        async with api.running(config(), lambda meter: port, unix=lambda _: NOW) as host:
            assert host.airing is not None
            api.install(host, "60000001")
            host.airing.run(NOW)
            api.installed(host, "60000001")
            host.airing.run(NOW + host.meter("60000001").config.nominal_s)
            told = [decode_radio(frame).name for frame in port.sent]
            assert told[0] == "SND-IR"
            assert told.count("SND-IR") == 1
            assert "SND-NR" in told
            with pytest.raises(ConfigError, match="no meter"):
                api.installed(host, "1")

    asyncio.run(play())


def test_only_two_way_meters_hear() -> None:
    gas, water = config().meters
    assert api.hears(gas) == {"T2 down"}
    assert api.hears(water) == frozenset()
    narrow = api.MeterConfig(ident="60000003", utility=api.Utility.WATER, security=0, radio="N2g")
    assert api.hears(narrow) == {"N2g"}
