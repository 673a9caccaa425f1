"""Storing harvests."""

from __future__ import annotations

import pytest

from headend.headends import DAY, LAYOUT, LOAD, NOW, VAULT, device, fleet_of, harvest, rows
from meterway.base.obis import Obis
from meterway.headend import writer as writer_module
from meterway.headend.collect import Collected, Raw
from meterway.headend.fleet import Fleet
from meterway.headend.harvest import Harvest
from meterway.headend.topology import Topology
from meterway.headend.writer import Writer, WriterRules
from meterway.store.database import Store
from meterway.store.tasks import NewTask

PROFILE = Obis.parse(LOAD.obis)
MIDNIGHT = DAY * 86400
RULES = WriterRules(load_profile=PROFILE, every_s=900.0)


@pytest.fixture
def fleet(store: Store) -> Fleet:
    store.devices.add_many([device("M1"), device("M2")], now_ms=1)
    store.tasks.add_many([NewTask(device=id_, kind="collect", due_ms=0) for id_ in (1, 2)], now_ms=0)
    return fleet_of(store)


def brought(fleet: Fleet, number: int, *slots: int, first: int = 100, cause: str = "ok", task: bool = True) -> Harvest:
    times = [MIDNIGHT + 900.0 * slot for slot in slots]
    collected = Collected(layout=LAYOUT, profiles=[(LOAD, Raw(PROFILE, rows(*times, first=first), NOW, MIDNIGHT))])
    claimed = None
    if task:
        claimed = fleet._store.tasks.claim("w", many=1, lease_ms=10**13, now_ms=1)[0]
    return harvest(fleet.of(number), collected, task=claimed, cause=cause)


def revisions(store: Store) -> list[tuple[int, int]]:
    return [(each.revision, int(each.block.channels[0].present.sum())) for each in store.blocks.history(1, DAY)]


@pytest.mark.covers("UC-BI-01", "E-HES-2")
def test_a_task_is_done_with_its_readings_and_has_its_next_turn(store: Store, fleet: Fleet) -> None:
    stored = Writer(store, fleet, RULES, Topology(store, fleet, VAULT)).store([brought(fleet, 1, 0, 1)])
    assert (stored.values, stored.error, stored.causes) == (4, "", {"ok": 1})
    done, due = sorted(store.tasks.of_device(1), key=lambda task: task.id)
    assert (done.state, due.state) == ("done", "due")
    assert store.devices.get(1).firmware == "V1"
    assert fleet.of(1).layout is LAYOUT
    assert fleet_of(store).of(1).layout == LAYOUT
    assert store.counters.next(1, f"read:{LOAD.obis}") == MIDNIGHT + 900


@pytest.mark.covers("UC-BI-01")
def test_a_day_grows_in_place_and_a_correction_is_a_revision(store: Store, fleet: Fleet) -> None:
    writer = Writer(store, fleet, RULES, Topology(store, fleet, VAULT))
    writer.store([brought(fleet, 1, 0, 1, task=False)])
    writer.store([brought(fleet, 1, 2, 3, first=102, task=False)])
    assert revisions(store) == [(1, 4)]
    writer.store([brought(fleet, 1, 3, first=999, task=False)])
    assert revisions(store) == [(1, 4), (2, 4)]
    writer.store([brought(fleet, 1, 4, first=104, task=False)])
    assert revisions(store) == [(1, 4), (2, 5)]
    writer.store([brought(fleet, 1, 4, first=104, task=False)])
    assert revisions(store) == [(1, 4), (2, 5)]


def test_who_lost_its_claim_adds_no_turn(store: Store, fleet: Fleet) -> None:
    late = brought(fleet, 1, 0)
    store.tasks.release([late.task], now_ms=2)  # type: ignore[list-item]
    Writer(store, fleet, RULES, Topology(store, fleet, VAULT)).store([late])
    assert [task.state for task in store.tasks.of_device(1)] == ["due"]


@pytest.mark.covers("E-HES-2")
def test_a_failure_is_due_again_later_and_later(store: Store, fleet: Fleet) -> None:
    writer = Writer(store, fleet, RULES, Topology(store, fleet, VAULT))
    waits = []
    for _ in range(3):
        writer.store([brought(fleet, 1, cause="timeout")])
        (task,) = store.tasks.of_device(1)
        assert (task.state, task.error) == ("due", "timeout: the line broke")
        waits.append(task.due_ms - store.contacts.of_device(1)[0].started_ms)
        store.session.change("UPDATE device_task SET due_ms = 0 WHERE device = 1")
        store.session.change("UPDATE device_task SET due_ms = 9 WHERE device = 2")
    assert store.devices.get(1).state == "failing"
    assert len(store.contacts.of_device(1)) == 3
    assert waits[0] < waits[2]


def test_another_period_begins_the_day_anew(store: Store, fleet: Fleet) -> None:
    from dataclasses import replace

    writer = Writer(store, fleet, RULES, Topology(store, fleet, VAULT))
    writer.store([brought(fleet, 1, 0, 1, task=False)])
    hourly = brought(fleet, 1, 0, 4, task=False)
    hourly.collected.profiles[0] = (replace(LOAD, period_s=3600), hourly.collected.profiles[0][1])
    assert writer.store([hourly]).causes == {"ok": 1}
    assert [each.block.interval_s for each in store.blocks.history(1, DAY)] == [900, 3600]


def test_a_fault_in_decoding_one_device_is_its_own(store: Store, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    real = writer_module.thresh

    def thresh(one: Harvest, **given: object) -> object:
        if one.entry.device.id == 1:
            raise IndexError("a slip of ours")
        return real(one, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(writer_module, "thresh", thresh)
    stored = Writer(store, fleet, RULES, Topology(store, fleet, VAULT)).store(
        [brought(fleet, 1, 0), brought(fleet, 2, 0)]
    )
    assert stored.causes == {"internal": 1, "ok": 1}
    assert store.contacts.of_device(1)[0].error == "IndexError: a slip of ours"


def test_counters_of_another_process_do_not_stop_storing(store: Store, fleet: Fleet) -> None:
    fleet.prepare([fleet.of(1)])
    store.counters.raise_to(1, "received", 1 << 20)
    store.counters.raise_to(1, f"read:{LOAD.obis}", 1 << 40)
    assert Writer(store, fleet, RULES, Topology(store, fleet, VAULT)).store([brought(fleet, 1, 0)]).causes == {"ok": 1}
    assert store.counters.next(1, "received") == 1 << 20
