from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.town.configurations.catalogue import configuration_of
from meterway.town.configurations.concentrators import Concentrators
from meterway.town.configurations.messages import FieldOrder
from meterway.town.configurations.plan import lay_out


@pytest.mark.covers("IF-C", "E-NNAP")
def test_meters_join_their_concentrator_and_are_listed_with_keys_to_come(tmp_path: Path) -> None:
    async def live() -> None:
        order = FieldOrder("P2", 2, str(tmp_path), bytes(range(32)).hex(), {"head end": 1})
        group = Concentrators(lay_out(configuration_of("P2"), 2), order)
        try:
            await group.open()
            await group.start()
            top, *meters = group.ways()
            assert (top.serial, top.utility, top.waits) == ("NNAP0001", "gateway", False)
            assert [(way.serial, way.waits) for way in meters] == [("M0001", True), ("M0002", True)]
            (row,) = group.carried()
            assert (row.label, row.entities) == ("C", 2)
            assert row.octets > row.sessions > 0
            slipped = group.happen("NNAP0001", "clock", 600.0)
            assert slipped == {"clock_error_s": 600.0}
            facts = group.happen("M0001", "tamper", 0.0)
            assert facts is not None
            assert facts["connected"] == 1
            for serial in ("M0001", "NNAP0001"):
                with pytest.raises(ConfigError, match="flood"):
                    group.happen(serial, "flood", 0.0)
            assert group.happen("M0009", "look", 0.0) is None
        finally:
            await group.stop()

    asyncio.run(live())


@pytest.mark.covers("IF-N", "IF-G2")
def test_concentrators_behind_one_are_reached_through_it(tmp_path: Path) -> None:
    async def live() -> None:
        order = FieldOrder("P8", 4, str(tmp_path), bytes(range(32)).hex(), {"head end": 1})
        group = Concentrators(lay_out(configuration_of("P8"), 4), order)
        try:
            await group.open()
            await group.start()
            ways = {way.serial: way for way in group.ways()}
            assert set(ways) == {"NNAP1001", "NNAP0001", "NNAP0002", "M0001", "M0002", "M0003", "M0004"}
            assert {way.port for way in ways.values()} == {group.nnaps["NNAP1001"].port}
            assert [serial for serial, way in ways.items() if not way.waits] == ["NNAP1001"]
            assert group.port_for("M0004") == group.nnaps["NNAP1001"].port
            assert group.port_for("M0009") == 0
            rows = {row.label: row.entities for row in group.carried()}
            assert rows == {"C": 4, "N": 2}
        finally:
            await group.stop()

    asyncio.run(live())
