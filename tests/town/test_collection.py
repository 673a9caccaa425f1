"""The head end collects real meters over real sockets; what it stores is what the meters measured."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from meterway.base.obis import Obis
from meterway.headend.plan import LOAD_PROFILE
from meterway.meter.api import Log
from meterway.store.block import DAY_S
from town.towns import Time, Town, town, until

REGISTERS = ["1-0:1.8.0*255", "1-0:2.8.0*255", "1-0:3.8.0*255", "1-0:4.8.0*255"]


def assert_blocks_are_true(at: Town, serial: str, *, now: float, days: int) -> int:
    """Every slot of the last days that has ended is stored, with the meter's own value; how many there are."""
    meter = at.host.meters[serial]
    first, last = int(now - days * DAY_S) // 900 + 1, int(now) // 900
    truth = meter.energy_slots(first, last - first + 1)
    stored = at.store.blocks.read_range(at.device(serial), first * 900 // DAY_S, last * 900 // DAY_S + 1)
    found: dict[int, tuple[int, ...]] = {}
    for each in stored:
        block = each.block
        assert [str(channel.column.obis) for channel in block.channels] == REGISTERS
        assert [channel.column.unit for channel in block.channels] == [30, 30, 32, 32]
        for slot in np.flatnonzero(block.channels[0].present):
            found[int(block.times_s[slot])] = tuple(int(channel.values[slot]) for channel in block.channels)
    for slot, values in zip(range(first, last + 1), truth.tolist(), strict=True):
        assert found.get(slot * 900) == tuple(values), slot
    return len(truth)


@pytest.mark.covers("UC-BI-01", "IF-I", "F1a", "F1b", "F3d", "F3e", "E-HES-2")
@pytest.mark.parametrize("transport", ["tcp", "hdlc"])
def test_the_first_collection_learns_a_meter_and_stores_what_it_measured(
    tmp_path: Path, clock: Time, transport: str
) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", transport=transport, days=35) as at:
            assert (await at.collect("M1"))["cause"] == "ok"
            assert assert_blocks_are_true(at, "M1", now=clock(), days=35) >= 35 * 96
            device = at.store.devices.by_serial("M1")
            assert (device.state, device.seen_ms is not None) == ("active", True)
            assert device.firmware
            layout = at.head_end.fleet.by_serial("M1").layout
            assert layout is not None
            assert layout.profiles[str(LOAD_PROFILE)].period_s == 900
            latest = {str(reading.obis): reading for reading in at.store.readings.latest(device.id)}
            truth = at.host.meters["M1"].energy_at(clock())
            assert latest[REGISTERS[0]].value == pytest.approx(truth[0], abs=50)
            assert abs(float(at.contact("M1")["clock_offset_s"])) < 5

    asyncio.run(work())


@pytest.mark.covers("UC-EV-02", "F2a")
def test_the_event_logs_are_collected_once(tmp_path: Path, clock: Time) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            meter = at.host.meters["M1"]
            meter.log(clock() - 60, Log.FRAUD, 40)
            await at.collect("M1")
            before = at.store.events.recent(limit=500)
            fraud = [event for event in before if event.code == 40]
            assert [abs(event.time_ms / 1000 - (clock() - 60)) < 5 for event in fraud] == [True]
            meter.log(clock(), Log.FRAUD, 41)
            await at.collect("M1")
            after = at.store.events.recent(limit=500)
            assert len(after) == len(before) + 1
            assert {event.code for event in after} - {event.code for event in before} <= {41}

    asyncio.run(work())


@pytest.mark.covers("UC-BI-01", "E-HES-2")
def test_the_next_collection_asks_only_for_the_missing_slice(tmp_path: Path, clock: Time) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            await at.collect("M1")
            entry = at.head_end.fleet.by_serial("M1")
            assert all(obis != LOAD_PROFILE for obis, _, _ in at.head_end.planner(entry).profiles)
            known = int(clock()) // 900 * 900
            clock.offset_s += 2700
            asked = {obis: span for obis, *span in at.head_end.planner(entry).profiles}
            assert asked[LOAD_PROFILE] == [known + 900, known + 2700]
            done = await at.collect("M1")
            assert done["values"] == len(at.store.readings.latest(entry.device.id)) + 3 * 4
            assert_blocks_are_true(at, "M1", now=clock(), days=3)

    asyncio.run(work())


@pytest.mark.covers("UC-BI-01")
def test_a_day_that_is_collected_often_has_one_revision(tmp_path: Path, clock: Time) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            for _ in range(4):
                await at.collect("M1")
                clock.offset_s += 900
            today = int(clock()) // DAY_S
            (only,) = at.store.blocks.history(at.device("M1"), today)
            assert only.revision == 1
            clock.at(0)
            await at.collect("M1")
            assert_blocks_are_true(at, "M1", now=clock(), days=3)
            assert [len(at.store.blocks.history(at.device("M1"), day)) for day in (today, today + 1)] == [1, 1]

    asyncio.run(work())


@pytest.mark.covers("UC-BI-01", "F2a")
def test_an_outage_leaves_missing_slots_that_are_not_asked_for_again(tmp_path: Path, clock: Time) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            start = clock() // 900 * 900 - 7200 - 100
            at.host.meters["M1"].add_outage(start, start + 2000)
            assert (await at.collect("M1"))["cause"] == "ok"
            day = int(start // DAY_S)
            (stored,) = at.store.blocks.read_range(at.device("M1"), day, day + 1)
            slot = int(start // 900 + 1) - day * 96
            present = stored.block.channels[0].present[slot - 1 : slot + 4]
            assert present.tolist() == [True, False, False, False, True]
            entry = at.head_end.fleet.by_serial("M1")
            assert all(obis != LOAD_PROFILE for obis, _, _ in at.head_end.planner(entry).profiles)

    asyncio.run(work())


@pytest.mark.covers("UC-BI-01", "E-HES-2", "REC-c")
def test_the_schedule_reads_every_meter_and_names_its_next_turn(tmp_path: Path, clock: Time) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", "M2", "M3", "M4", scheduled=True, every_s=3600.0) as at:
            progress = at.head_end.collector.progress
            await until(lambda: len(progress.read) == 4)
            assert progress.causes == {"ok": 4}
            assert at.store.tasks.counts() == {"due": 4, "done": 4}
            due = [at.store.tasks.of_device(device.id)[0].due_ms for device in at.store.devices.all()]
            assert all(clock() < when / 1000 <= clock() + 3600 for when in due)
            assert len(set(due)) == 4

    asyncio.run(work())


@pytest.mark.covers("UC-BI-01")
def test_a_meter_that_is_gone_is_tried_again_until_it_is_back(tmp_path: Path, clock: Time) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", "M2", scheduled=True, retry_longest_s=0.2) as at:
            at.host.cut_supply("M1")
            progress = at.head_end.collector.progress
            await until(lambda: len(progress.read) == 1 and progress.causes["link"] + progress.causes["timeout"] >= 2)
            assert at.store.devices.by_serial("M1").state in ("failing", "active")
            task = at.store.tasks.of_device(at.device("M1"))[0]
            at.host.restore_supply("M1")
            await until(lambda: len(progress.read) == 2, limit_s=30)
            assert task.name is None
            assert_blocks_are_true(at, "M2", now=clock(), days=3)

    asyncio.run(work())


@pytest.mark.covers("UC-BI-02", "F1a")
def test_a_meter_unknown_to_have_a_title_shows_it_when_associating(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            device = at.device("M1")
            at.store.devices.update(device, {"system_title": None}, now_ms=2)
            await at.collect("M1")
            assert at.store.devices.get(device).system_title == at.meters[0].title
            entry = at.head_end.fleet.by_serial("M1")
            assert replace(entry.device).system_title == at.meters[0].title

    asyncio.run(work())


@pytest.mark.covers("F3g")
def test_daily_and_monthly_billing_rows_are_single_readings(tmp_path: Path, clock: Time) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", days=35) as at:
            await at.collect("M1")
            rows = at.store.readings.read_range(at.device("M1"), Obis(1, 0, 1, 8, 0), 0, int(clock() * 1000) - 60_000)
            assert len(rows) >= 35
            meter = at.host.meters["M1"]
            assert rows[-1].value == meter.energy_slots(rows[-1].time_ms // 900_000, 1)[0][0]

    asyncio.run(work())
