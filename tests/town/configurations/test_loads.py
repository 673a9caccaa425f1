"""Load controllers of a configuration: known for what they are without a hand, commanded all at once by broadcast."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.headend import groups
from meterway.headend.groups import Group, OrderWanted
from meterway.home.api import HomeNodes
from meterway.links.clocks import VirtualClock
from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.store.devices import HOME
from meterway.town.configurations.catalogue import configuration_of
from meterway.town.configurations.loads import LIVED_S, happen_to_load, load_config
from meterway.town.configurations.plan import broadcast_keys, lay_out
from meterway.town.configurations.shape import Kind
from town.configurations.driving import Driven, running

SECRET = bytes(range(32))
MORNING = 1_795_420_800.0


@pytest.mark.covers("IF-H3", "IF-G2", "P9", "E-HAED", "F5b", "F5f", "UC-DR-02", "X-40")
def test_all_loads_are_switched_by_one_broadcast_and_no_meter_is(tmp_path: Path) -> None:
    async def live() -> None:
        async with running("P9", tmp_path) as at:
            summary = await at.first_collection()
            (head_end,) = at.head_ends.values()
            loads = [thing.serial for thing in at.layout.of(Kind.LOAD)]
            known = {one.serial: one for one in head_end.store.devices.all()}
            assert {(known[one].profile, known[one].utility) for one in loads} == {("home", HOME)}
            assert (summary.meters, summary.read, len(loads)) == (3, 3, 3)
            groups.keep(head_end.store, Group(name="boilers", profile="home"))
            wanted = OrderWanted(kind="load-off", value={"duration_s": 900, "offset_s": 2}, settle_s=6.0)
            begun = await head_end.orders.begin("boilers", wanted, actor="test")
            async with asyncio.timeout(60):
                while (told := head_end.orders.report(begun.id)).state not in ("done", "expired"):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            (part,) = told.parts
            assert (part.way, part.state) == ("broadcast", "done")
            assert (part.sampled, part.confirmed) == (3, 3)
            assert {(await at.happen(load, "look"))["connected"] for load in loads} == {0}
            meter = Driven(at, "meter", summary)
            assert (await meter.facts())["connected"] == 1

    asyncio.run(live())


def test_a_controller_has_lived_a_day_and_things_happen_to_it() -> None:
    layout = lay_out(configuration_of("P9"), 2)
    load = layout.of(Kind.LOAD)[0]
    config = load_config(SECRET, load, "NNAP0001")
    assert (config.keys.gbek, config.keys.gbak) == broadcast_keys(SECRET, "NNAP0001")
    clock = VirtualClock(MORNING)
    homes = HomeNodes(clock, lambda eui: PROFILES["prime"].node(eui, b""))
    homes.add(config, lived_s=LIVED_S)
    clock.run(MORNING + 1)
    begun = happen_to_load(homes, load.serial, "look", 0)
    assert begun["energy"] > 1000
    assert (begun["connected"], begun["overridden"]) == (1, 0)
    assert len(homes.devices[load.serial].rows) == 24
    pressed = happen_to_load(homes, load.serial, "override", 0)
    assert (pressed["connected"], pressed["overridden"]) == (0, 1)
    assert happen_to_load(homes, load.serial, "clock", 60.0)["clock_error_s"] == 60.0
    with pytest.raises(ConfigError, match="does not happen"):
        happen_to_load(homes, load.serial, "tamper", 0)
