"""What is read of a device now."""

from __future__ import annotations

import pytest

from headend.headends import DAY, LAYOUT, LOAD, NOW, device, fleet_of
from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.headend.config import CollectConfig
from meterway.headend.fleet import Fleet
from meterway.headend.plan import LOAD_PROFILE, Planner
from meterway.store.block import Block, Channel, Column
from meterway.store.blocks import NewBlock
from meterway.store.database import Store
from meterway.store.packing import pack

LOG = Obis(0, 0, 99, 98, 0)
ENERGY = Column(obis=Obis(1, 0, 1, 8, 0), unit=30)
SLOT = int(NOW) // 900 * 900


@pytest.fixture
def fleet(store: Store) -> Fleet:
    store.devices.add_many([device("M1"), device("M2", flags={"with_list_max": 1})], now_ms=1)
    return fleet_of(store)


def planner(store: Store, **given: object) -> Planner:
    return Planner(store, CollectConfig(**given), lambda: NOW)  # type: ignore[arg-type]


@pytest.mark.covers("UC-BI-01")
def test_the_first_plan_reads_all_of_history(store: Store, fleet: Fleet) -> None:
    plan = planner(store, history_days=5)(fleet.of(1))
    spans = {obis: span for obis, *span in plan.profiles}
    assert spans[LOAD_PROFILE] == [(int(NOW) - 5 * 86400) // 900 * 900, SLOT]
    assert {obis: span for obis, *span in plan.logs}[LOG] == [NOW - 5 * 86400, NOW]
    assert plan.layout is None
    assert plan.registers
    assert plan.identity
    assert Obis(0, 4, 25, 9, 0) in plan.pushes
    assert (plan.list_max, planner(store)(fleet.of(2)).list_max) == (16, 1)


@pytest.mark.covers("UC-BI-01")
def test_the_next_plan_reads_after_the_watermark_and_only_what_is_missing(store: Store, fleet: Fleet) -> None:
    fleet.of(1).layout = LAYOUT
    store.counters.note_many({(1, f"read:{LOAD.obis}"): SLOT - 3600, (1, f"read:{LOG}"): int(NOW) - 50})
    day = Block(
        start_s=DAY * 86400,
        interval_s=900,
        channels=(Channel.of(ENERGY, range(96), present=[DAY * 86400 + 900 * i <= SLOT - 1800 for i in range(96)]),),
    )
    store.blocks.upsert_many([NewBlock(device=1, packed=pack(day))], now_ms=1)
    plan = planner(store)(fleet.of(1))
    assert [span for obis, *span in plan.profiles if obis == LOAD_PROFILE] == [[SLOT - 900, SLOT]]
    assert [span for obis, *span in plan.logs if obis == LOG] == [[int(NOW) - 50, NOW]]


def test_a_complete_profile_is_not_asked_for(store: Store, fleet: Fleet) -> None:
    store.counters.note_many({(1, f"read:{LOAD.obis}"): SLOT})
    assert all(obis != LOAD_PROFILE for obis, *_ in planner(store)(fleet.of(1)).profiles)


def test_a_clock_is_set_only_if_the_settings_allow_it(store: Store, fleet: Fleet) -> None:
    assert planner(store)(fleet.of(1)).set_clock_beyond_s == 60.0
    assert planner(store, set_clock=False)(fleet.of(1)).set_clock_beyond_s is None


def test_an_unknown_companion_profile_is_said(store: Store, fleet: Fleet) -> None:
    store.devices.update(1, {"profile": "nowhere"}, now_ms=2)
    with pytest.raises(ConfigError, match="nowhere"):
        planner(store)(fleet.of(1))
