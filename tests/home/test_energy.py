"""An energy manager meets the home side of a real gateway."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from lnap_town import SECRET, Air, RadioMeter, listed, settings
from meterway.home.api import EnergyManager, ManagerConfig
from meterway.lnap.api import Lnap, PartyConfig, SideConfig, serve_lnap

CONSUMER = PartyConfig(name="consumer", client=2, secret=SECRET, side="home", channels="all")


def ask(tmp_path: Path, meter: RadioMeter, **more: Any) -> tuple[EnergyManager, Lnap]:
    """Ask once of a gateway that has heard the meter tell 12.5 m³."""

    async def play() -> tuple[EnergyManager, Lnap]:
        config = settings(tmp_path, meters=(listed(meter),), home=SideConfig(port=0), parties=(CONSUMER,))
        async with serve_lnap(config) as lnap:
            air = Air()
            lnap.attach(air)
            air.say(meter.telegram(12.5), time.time())
            given = {
                "port": lnap.ports["home"],
                "gateway": "LNAP0001",
                "party": "consumer",
                "client": 2,
                "secret": SECRET,
                "meters": {str(meter.address): 1},
            }
            manager = EnergyManager(ManagerConfig(**{**given, **more}))
            await manager.ask()
            return manager, lnap

    return asyncio.run(play())


@pytest.mark.covers("IF-H2", "F5c", "E-HAED")
def test_a_manager_reads_what_the_meters_of_its_home_measure(tmp_path: Path) -> None:
    meter = RadioMeter()
    manager, _ = ask(tmp_path, meter)
    assert manager.error == ""
    told = manager.measured[str(meter.address)]
    assert (told.value, told.unit) == (12.5, "m³")
    assert 0 <= told.age_s < 60
    assert (manager.sessions, manager.octets > 100) == (1, True)


def test_a_manager_with_a_wrong_secret_learns_nothing(tmp_path: Path) -> None:
    manager, _ = ask(tmp_path, RadioMeter(), secret="ff" * 16)
    assert manager.measured == {}
    assert manager.error != ""


def test_a_gateway_that_is_away_is_an_error_that_is_told(tmp_path: Path) -> None:
    manager, _ = ask(tmp_path, RadioMeter(), port=1)
    assert manager.measured == {}
    assert "127.0.0.1:1" in manager.error
