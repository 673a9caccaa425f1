"""The radio side of concentrators in a configuration."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meterway.base.obis import Obis
from meterway.headend.api import Views
from meterway.headend.commands import Command
from meterway.headend.nnaps import NnapViews
from meterway.mapping.neighbourhood import HEARD_SAP
from meterway.town.configurations.catalogue import configuration_of
from meterway.town.configurations.masts import Masts
from meterway.town.configurations.messages import FieldOrder
from meterway.town.configurations.plan import Placed, lay_out
from town.configurations.driving import TOTALS, Driven, running

pytestmark = pytest.mark.covers("IF-C", "IF-G2", "E-NNAP")


def test_a_mast_lists_the_meters_around_it_and_hears_their_modes(tmp_path: Path) -> None:
    layout = lay_out(configuration_of("P7"), 4)
    masts = Masts(layout, FieldOrder("P7", 4, str(tmp_path), bytes(range(32)).hex()))
    (mast,) = layout.named("concentrator")
    listed = masts.listed(mast)
    assert [one.address for one in listed] == [
        "MWY-10000001-01-03", "MWY-10000002-01-03", "MWY-20000001-01-07", "MWY-20000002-01-07",
    ]  # fmt: skip
    assert [one.channel for one in listed] == [1, 2, 3, 4]
    asyncio.run(_hears(masts, mast))
    bare = lay_out(configuration_of("P2"), 1)
    none = Masts(bare, FieldOrder("P2", 1, str(tmp_path), bytes(range(32)).hex()))
    (concentrator,) = bare.named("concentrator")
    assert (none.radios(concentrator), none.collector(concentrator)) == ((), None)
    assert none.happen("10000001", "look") is None


async def _hears(masts: Masts, mast: Placed) -> None:
    await masts.open()
    try:
        (radio,) = masts.radios(mast)
        assert {"C1", "N1a", "N1f"} <= set(radio.hears)
    finally:
        await masts.stop()


@pytest.mark.covers("UC-BI-02", "E-HES-1")
def test_a_head_end_finds_them_is_told_the_age_of_values_and_shows_how_well_they_are_heard(tmp_path: Path) -> None:
    async def live() -> None:
        async with running("P7", tmp_path, meters=4) as at:
            water = Driven(at, "water", await at.first_collection())
            head_end = water.head_end
            device = head_end.store.devices.by_serial(water.serial)
            nnap = head_end.store.devices.by_serial("NNAP0001")
            assert (device.parent, device.profile) == (nnap.id, "mbus-water")
            asked = Command(obis=TOTALS[water.kind])
            told = await head_end.read(water.serial, asked, actor="test")
            assert told.refusal == ""
            assert told.age_s is not None
            assert told.age_s < 30
            order = Command(obis=Obis(0, 1, 24, 1, 0), class_id=72, method="capture")
            assert (await head_end.act(water.serial, order, actor="test")).refusal == "temporary-failure", "it sleeps"
            page = NnapViews(head_end, Views(head_end)).one("NNAP0001")
            assert {leaf.serial for leaf in page.leaves} == {
                one.serial for one in head_end.store.devices.children(nnap.id)
            }
            assert len(page.leaves) == 4
            assert all(leaf.quality > 0 and not leaf.is_away for leaf in page.leaves)
            node = head_end.store.nodes.find(device.id)
            assert node is not None
            assert node.sap > HEARD_SAP

    asyncio.run(live())
