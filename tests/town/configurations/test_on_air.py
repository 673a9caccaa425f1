"""Meters on the simulated air of a configuration: taken in one by one, counted, and what happens to them shows."""

from __future__ import annotations

import asyncio

import pytest

from meterway.base.errors import ConfigError
from meterway.interfaces import Entity
from meterway.links.medium.air import Station
from meterway.links.medium.client import RadioClient
from meterway.meter.mbus import api as mbus
from meterway.town.configurations.on_air import OnAir, until

GAS = "10000001"


@pytest.mark.covers("IF-C", "IF-M")
def test_meters_speak_until_each_was_heard_and_are_counted_for_who_hears_them() -> None:
    asyncio.run(_live())


async def _live() -> None:
    air, ear, told = OnAir(Entity.NNAP, lambda ident: (float(ident[-1]) * 10, 0.0, 0.0)), RadioClient(), []
    meters = [
        mbus.MeterConfig(
            ident=GAS, utility=mbus.Utility.GAS, key="00" * 16, radio="N1a", valve=True, interval_s=3600.0
        ),
        mbus.MeterConfig(ident="20000002", utility=mbus.Utility.WATER, key="00" * 16, radio="C1", interval_s=3600.0),
    ]
    assert air.happen(GAS, "look") is None
    await air.open(meters)
    try:
        await ear.connect(air.port)
        port = ear.join(Station(name="ear", place=(0.0, 0.0, 0.0), hears=frozenset(("N1a", "C1"))))
        port.listen(lambda reception: told.append(reception.mode))
        names = {"N1a": str(meters[0].address), "C1": str(meters[1].address)}
        async with asyncio.timeout(20):
            await air.take_in(lambda: {names[mode] for mode in told})
            await until(lambda: set(told) == {"N1a", "C1"})
        (row,) = air.carried()
        assert (row.label, row.entities) == ("C", 2)
        assert row.sessions >= 2
        facts = air.happen(GAS, "tamper")
        assert facts is not None
        assert facts["connected"] == 1
        with pytest.raises(ConfigError, match="flood"):
            air.happen(GAS, "flood")
        assert air.happen("nobody", "look") is None
    finally:
        ear.close()
        await air.stop()
