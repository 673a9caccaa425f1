from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.town.configurations.catalogue import configuration_of
from meterway.town.configurations.electricity import Electricity
from meterway.town.configurations.messages import FieldOrder
from meterway.town.configurations.plan import lay_out


def test_meters_are_reached_shown_and_hurt(tmp_path: Path) -> None:
    async def live() -> None:
        group = Electricity(
            lay_out(configuration_of("P1"), 2), FieldOrder("P1", 2, str(tmp_path), bytes(range(32)).hex())
        )
        try:
            await group.start()
            assert {(way.serial, way.transport, way.sap) for way in group.ways()} == {
                ("M0001", "tcp", 1),
                ("M0002", "tcp", 1),
            }
            assert [port.serial for port in group.ports()] == ["D0001", "D0002"]
            assert group.happen("LNAP0001", "look", 0.0) is None
            facts = group.happen("M0002", "tamper", 0.0)
            assert facts is not None
            assert facts["connected"] == 1
            with pytest.raises(ConfigError, match="flood"):
                group.happen("M0001", "flood", 0.0)
        finally:
            await group.stop()

    asyncio.run(live())
