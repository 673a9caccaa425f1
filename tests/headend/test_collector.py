"""Claiming, leases and the store's refusals; calling meters is tested with the town."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from headend.headends import NOW, VAULT, device, fleet_of
from meterway.base.errors import ConfigError, LinkError, StoreError
from meterway.headend import collector as collector_module
from meterway.headend.collect import Collected, Plan
from meterway.headend.collector import Collector
from meterway.headend.contact import Outcome
from meterway.headend.fleet import Entry
from meterway.headend.live import Live
from meterway.headend.plan import LOAD_PROFILE
from meterway.headend.topology import Topology
from meterway.headend.writer import Writer, WriterRules
from meterway.stacks.dlms.client.session import SessionDone, SessionFailed
from meterway.store.database import Store
from meterway.store.tasks import NewTask, Tasks


class Caller:
    """Answers for every device; ``hold`` keeps calls waiting."""

    def __init__(self) -> None:
        self.called: list[int] = []
        self.hold = asyncio.Event()
        self.hold.set()

    async def call(self, entry: Entry, script: Any) -> Outcome[Any]:
        self.called.append(entry.device.id)
        script.close()
        await self.hold.wait()
        if entry.device.id == 2:
            return Outcome(SessionFailed("link", LinkError("gone"), (), 1), NOW, 0.0)
        return Outcome(SessionDone(Collected(), (), 1), NOW, 0.0)


def collector_of(store: Store, caller: Caller, plan_of: Any = lambda _: Plan()) -> Collector:
    fleet = fleet_of(store)
    rules = WriterRules(load_profile=LOAD_PROFILE, every_s=900.0)
    return Collector(
        store,
        fleet,
        caller,  # type: ignore[arg-type]
        Writer(store, fleet, rules, Topology(store, fleet, VAULT)),
        Live(),
        plan_of=plan_of,
        concurrency=2,
    )


def due(store: Store, *numbers: int) -> None:
    store.devices.add_many([device(f"M{number}") for number in numbers], now_ms=1)
    store.tasks.add_many([NewTask(device=number, kind="collect", due_ms=0) for number in numbers], now_ms=0)


async def ended(collector: Collector, running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    collector.close()


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.01)


@pytest.mark.covers("E-HES-2")
def test_what_is_due_is_called_once_and_counted_by_its_outcome(store: Store) -> None:
    due(store, 1, 2, 3)

    async def work() -> None:
        caller = Caller()
        collector = collector_of(store, caller)
        running = asyncio.create_task(collector.run())
        await until(lambda: collector.progress.contacts == 3)
        await ended(collector, running)
        assert sorted(caller.called) == [1, 2, 3]
        assert collector.progress.causes == {"ok": 2, "link": 1}
        assert collector.progress.read == {1, 3}

    asyncio.run(work())


def test_a_plan_that_cannot_be_made_fails_its_device_only(store: Store) -> None:
    due(store, 1, 2, 3)

    def plan_of(entry: Entry) -> Plan:
        if entry.device.id == 1:
            raise ConfigError("no such profile")
        if entry.device.id == 3:
            raise StoreError("a damaged row")
        return Plan()

    async def work() -> None:
        collector = collector_of(store, Caller(), plan_of)
        running = asyncio.create_task(collector.run())
        await until(lambda: collector.progress.contacts == 3)
        await ended(collector, running)
        assert collector.progress.causes == {"config": 1, "store": 1, "link": 1}

    asyncio.run(work())


def test_a_store_that_refuses_a_claim_is_counted_and_asked_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    due(store, 1)
    monkeypatch.setattr(collector_module, "_IDLE_S", 0.01)
    real, refusals = Tasks.claim, [3]

    def claim(self: Tasks, *words: Any, **given: Any) -> Any:
        if refusals[0]:
            refusals[0] -= 1
            raise StoreError("another process kept the database locked")
        return real(self, *words, **given)

    monkeypatch.setattr(Tasks, "claim", claim)

    async def work() -> None:
        collector = collector_of(store, Caller())
        running = asyncio.create_task(collector.run())
        await until(lambda: collector.progress.contacts == 1)
        await ended(collector, running)
        assert collector.progress.causes == {"store": 3, "ok": 1}
        assert collector.progress.store_error == ""

    asyncio.run(work())


def test_tasks_are_given_back_when_their_counters_cannot_be_reserved(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    due(store, 1)

    async def work() -> None:
        collector = collector_of(store, Caller())
        with monkeypatch.context() as patch:
            patch.setattr(collector._fleet, "prepare", lambda _: (_ for _ in ()).throw(StoreError("full")))
            with pytest.raises(StoreError):
                await collector.in_thread(lambda: collector._claimed(64))
            assert store.tasks.counts() == {"leased": 1}
        claimed = await collector.in_thread(lambda: collector._claimed(64))
        assert [task.attempts for _, task, _ in claimed] == [1]
        collector.close()

    asyncio.run(work())


def test_leases_are_lengthened_while_work_lasts_and_what_was_taken_over_is_dropped(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    due(store, 1, 2)
    at = [time.time()]
    monkeypatch.setattr(time, "time", lambda: at[0])

    async def work() -> None:
        collector = collector_of(store, Caller())
        await collector.in_thread(lambda: collector._claimed(64))
        first, second = sorted(collector._held)
        store.session.change("UPDATE device_task SET token = token + 1 WHERE id = :id", {"id": second})
        at[0] += 400.0
        await collector.in_thread(lambda: collector._claimed(0))
        assert set(collector._held) == {first}
        assert store.tasks.get(first).lease_until_ms == int(at[0] * 1000) + 600_000
        await collector.in_thread(collector._give_back)
        assert store.tasks.get(first).state == "due"
        collector.close()

    asyncio.run(work())


@pytest.mark.covers("E-HES-2")
def test_stopping_in_the_middle_stores_what_came_and_gives_back_the_rest(store: Store) -> None:
    due(store, *range(1, 41))

    async def work() -> None:
        caller = Caller()
        collector = collector_of(store, caller)
        running = asyncio.create_task(collector.run())
        await until(lambda: len(caller.called) >= 10)
        caller.hold.clear()
        await ended(collector, running)
        counts = store.tasks.counts()
        assert counts.get("leased", 0) == 0
        assert counts["done"] >= 7
        assert sum(len(store.contacts.of_device(number)) for number in range(1, 41)) == collector.progress.contacts

    asyncio.run(work())


def test_what_was_done_long_ago_is_forgotten(store: Store) -> None:
    due(store, 1)
    store.tasks.complete(store.tasks.claim("w", many=1, lease_ms=1, now_ms=1), now_ms=2)

    async def work() -> None:
        collector = collector_of(store, Caller())
        await collector.in_thread(lambda: collector._claimed(0))
        assert store.tasks.counts() == {}
        collector.close()

    asyncio.run(work())
