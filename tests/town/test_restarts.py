"""Head ends that stop, die, restart or share a store: counters rise, tasks are done once, nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meterway.headend import fleet
from meterway.headend.config import CollectConfig, HeadEndConfig, PushConfig
from meterway.headend.serve import HeadEnd
from meterway.meter.api import Fault, HostConfig, ListenConfig, MeterHost, inject
from meterway.stacks.dlms.security.counter import SendCounter
from meterway.store.database import open_store
from meterway.store.vault import Vault
from town.towns import MASTER, meter_settings, register, town, until


def head_end(path: Path, *, scheduled: bool = False) -> HeadEnd:
    """One more head end on the store of a path."""
    collect = CollectConfig(enabled=scheduled, history_days=3, response_timeout_s=1.0, every_s=3600.0)
    config = HeadEndConfig(collect=collect, push=PushConfig(enabled=False))
    return HeadEnd(config, store=open_store(f"sqlite:///{path / 'store.db'}"), vault=Vault(MASTER))


@pytest.mark.covers("SEC-05")
def test_invocation_counters_survive_restarts_of_both_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours: list[int] = []
    theirs: list[int] = []
    real = SendCounter.take

    class Ours(SendCounter):
        """The head end's, told apart from the meter's."""

    def take(self: SendCounter) -> int:
        value = real(self)
        (ours if isinstance(self, Ours) else theirs).append(value)
        return value

    monkeypatch.setattr(SendCounter, "take", take)
    monkeypatch.setattr(fleet, "SendCounter", Ours)
    meters = meter_settings("M1")
    config = HostConfig(meters=tuple(meters), listen=(ListenConfig(port=0),), counters=tmp_path / "meters.json")

    async def once(*, orderly: bool) -> str:
        host = MeterHost(config)
        await host.start()
        hes = head_end(tmp_path)
        if hes.store.devices.count() == 0:
            register(hes.store, hes.vault, host, meters, due_ms=None)
        hes.store.devices.update(1, {"port": host.endpoints[0].port}, now_ms=2)
        await hes.start()
        done = await hes.collect_now("M1")
        if orderly:
            await host.stop()
            await hes.stop()
        else:  # as if both had been killed: whatever was in memory only is gone
            for listener in host._listeners:
                listener.close()
            for timer in host._timers.values():
                timer.cancel()
            host.counters.close()  # type: ignore[union-attr]
            hes.collector.close()
            hes.store.close()
        return str(done["cause"])

    for orderly in (True, False, False, True):
        assert asyncio.run(once(orderly=orderly)) == "ok"
    assert len(ours) > 40
    assert len(theirs) > 40
    assert ours == sorted(set(ours))
    assert theirs == sorted(set(theirs))


@pytest.mark.covers("SEC-05")
def test_two_head_ends_on_one_store_use_no_counter_twice(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            other = head_end(tmp_path)
            for _ in range(3):
                assert (await at.collect("M1"))["cause"] == "ok"
                assert (await other.collect_now("M1"))["cause"] == "ok"
            await other.stop()

    asyncio.run(work())


@pytest.mark.covers("E-HES-2", "UC-BI-01")
def test_two_head_ends_share_the_work_and_never_read_a_task_twice(tmp_path: Path) -> None:
    serials = [f"M{number}" for number in range(24)]

    async def work() -> None:
        async with town(tmp_path, *serials, every_s=3600.0) as at:
            others = [head_end(tmp_path, scheduled=True) for _ in range(2)]
            await at.schedule()
            for each in others:
                await each.start()
            await until(lambda: at.store.tasks.counts().get("done") == 24, limit_s=30)
            for each in others:
                await each.stop()
            contacts = [len(at.store.contacts.of_device(device.id)) for device in at.store.devices.all()]
            assert contacts == [1] * 24
            assert at.store.tasks.counts() == {"due": 24, "done": 24}

    asyncio.run(work())


@pytest.mark.covers("E-HES-2")
def test_a_head_end_that_stops_gives_back_what_it_had_claimed(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", "M2", "M3", response_timeout_s=30.0, concurrency=1) as at:
            for serial in ("M1", "M2", "M3"):
                inject(at.host, serial, Fault.HANG)
            await at.schedule()
            await until(lambda: at.store.tasks.counts().get("leased") == 3)
            await asyncio.sleep(0.1)
            assert at.collecting is not None
            at.collecting.cancel()
            await asyncio.gather(at.collecting, return_exceptions=True)
            assert at.store.tasks.counts() == {"due": 3}
            assert {task.attempts for id_ in (1, 2, 3) for task in at.store.tasks.of_device(id_)} == {0}

    asyncio.run(work())


@pytest.mark.covers("UC-BI-01")
def test_what_was_read_before_a_stop_is_stored(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", "M2", every_s=3600.0) as at:
            await at.schedule()
            await until(lambda: at.head_end.caller.sessions["I"] == 2)
            assert at.collecting is not None
            at.collecting.cancel()
            await asyncio.gather(at.collecting, return_exceptions=True)
            assert at.store.tasks.counts() == {"due": 2, "done": 2}
            assert len(at.store.blocks.completeness(0, 30_000)) >= 3

    asyncio.run(work())
