"""The town's neighbourhood: it is read whole, and its interfaces carry traffic."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.town.plan import MAX_NEIGHBOURS, TownPlan
from meterway.town.town import Town


@pytest.mark.covers("IF-C", "IF-L", "IF-N", "IF-G2", "IF-H3", "E-NNAP")
def test_the_neighbours_of_a_town_are_read_and_their_traffic_shown(tmp_path: Path) -> None:
    async def live() -> None:
        town = Town(TownPlan(meters=1, displays=0, neighbours=3), tmp_path)
        try:
            await town.start()
            summary = await town.first_collection()
            assert (summary.neighbours, summary.neighbours_read, summary.failures) == (14, 14, {})
            assert summary.is_whole
            async with asyncio.timeout(20):
                while {"C", "L", "N", "M", "H3"} - {row.label for row in town.neighbours.traffic() if row.octets}:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        finally:
            await town.stop()

    asyncio.run(live())


def test_a_town_has_no_more_neighbours_than_its_network_serves() -> None:
    for neighbours in (-1, MAX_NEIGHBOURS + 1):
        with pytest.raises(ConfigError, match="neighbours"):
            TownPlan(neighbours=neighbours)
