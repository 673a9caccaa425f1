from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.town.configurations.catalogue import configuration_of
from meterway.town.configurations.gateways import Gateways
from meterway.town.configurations.messages import FieldOrder
from meterway.town.configurations.plan import lay_out

GAS = "10000001"


def group(folder: Path, label: str) -> Gateways:
    order = FieldOrder(label, 2, str(folder), bytes(range(32)).hex(), speak_s=2.0)
    return Gateways(lay_out(configuration_of(label), 2), order)


@pytest.mark.covers("IF-M", "E-LNAP")
def test_who_may_see_a_gateway_gets_it_and_who_may_not_gets_meters(tmp_path: Path) -> None:
    async def live() -> None:
        gateways = group(tmp_path, "P15")
        try:
            await gateways.start()
            ways = {(way.head_end, way.serial): way for way in gateways.ways()}
            assert set(ways) == {
                ("head end", "LNAP0001"),
                ("supplier", "MWY-10000001-01-03"),
                ("supplier", "MWY-20000001-01-07"),
            }
            assert ways["head end", "LNAP0001"].finds == 2
            assert {way.client for way in ways.values()} == {1, 2}
            (row,) = gateways.carried()
            assert (row.label, row.entities) == ("M", 2)
            assert row.octets > 0
            facts = gateways.happen(GAS, "tamper", 0.0)
            assert facts is not None
            assert facts["register"] > 0
            for serial in (GAS, "LNAP0001"):
                with pytest.raises(ConfigError, match="flood"):
                    gateways.happen(serial, "flood", 0.0)
            assert gateways.happen("M0001", "look", 0.0) is None
        finally:
            await gateways.stop()

    asyncio.run(live())


def test_an_energy_manager_is_told_which_meters_it_may_ask_for(tmp_path: Path) -> None:
    async def live() -> None:
        gateways = group(tmp_path, "P3")
        try:
            await gateways.start()
            (port,) = gateways.ports()
            assert (port.part, port.detail["party"], port.detail["gateway"]) == ("manager", "consumer", "LNAP0001")
            assert port.port == gateways.lnaps["LNAP0001"].ports["home"]
        finally:
            await gateways.stop()

    asyncio.run(live())
