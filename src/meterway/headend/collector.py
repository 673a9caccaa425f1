"""Collection on schedule: due tasks are claimed in batches, called by a fixed number of workers, stored in batches."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

from meterway.headend.collect import Collected, Plan, collect
from meterway.headend.contact import Caller
from meterway.headend.fleet import Entry, Fleet
from meterway.headend.harvest import Harvest, Sheaf
from meterway.headend.live import Happening, Live
from meterway.headend.writer import Stored, Writer
from meterway.store.database import Store
from meterway.store.tasks import Task

__all__ = ["Collector", "Progress"]

T = TypeVar("T")

_BATCH: Final = 64
_KEPT: Final = 20_000
_LEASE_MS: Final = 600_000
_IDLE_S: Final = 1.0
_LINGER_S: Final = 0.05


@dataclass(slots=True)
class Progress:
    """What collection has done since it began."""

    contacts: int = 0
    devices: set[int] = field(default_factory=set)
    read: set[int] = field(default_factory=set)
    values: int = 0
    events: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    durations_s: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    octets: int = 0
    store_error: str = ""


class Collector:
    """Runs until it is stopped. ``plan_of`` says what to read of a device now (called in the writer's thread)."""

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        caller: Caller,
        writer: Writer,
        live: Live,
        *,
        plan_of: Callable[[Entry], Plan],
        concurrency: int,
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._caller = caller
        self._writer = writer
        self._live = live
        self._plan_of = plan_of
        self._concurrency = concurrency
        self._due: asyncio.Queue[tuple[Entry, Task, Plan]] = asyncio.Queue(concurrency)
        self._harvests: asyncio.Queue[Harvest] = asyncio.Queue(_BATCH * 4)
        self._thread = ThreadPoolExecutor(1, "meterway-writer")
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._wake = asyncio.Event()
        self.progress = Progress()

    def wake(self) -> None:
        """Look for due tasks now instead of at the next turn."""
        self._wake.set()

    async def run(self) -> None:
        """Collect until cancelled; what was called when it is cancelled is still stored."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._claim())
                group.create_task(self._store_all())
                for _ in range(self._concurrency):
                    group.create_task(self._work())
        finally:
            await self._flush()

    def close(self) -> None:
        """End the thread that writes; nothing is stored after this."""
        self._thread.shutdown(wait=True)

    async def in_thread(self, step: Callable[[], T]) -> T:
        """Run a blocking step on the thread that writes to the store."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, step)

    async def _claim(self) -> None:
        while True:
            claimed = await self.in_thread(self._claimed)
            for due in claimed:
                await self._due.put(due)
            if not claimed:
                self._wake.clear()
                try:
                    async with asyncio.timeout(_IDLE_S):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    def _claimed(self) -> list[tuple[Entry, Task, Plan]]:
        tasks = self._store.tasks.claim(self._owner, many=_BATCH, lease_ms=_LEASE_MS, now_ms=int(time.time() * 1000))
        entries = [self._fleet.of(task.device) for task in tasks]
        if entries:
            self._fleet.prepare(entries)
        return [(entry, task, self._plan_of(entry)) for entry, task in zip(entries, tasks, strict=True)]

    async def _work(self) -> None:
        while True:
            entry, task, plan = await self._due.get()
            await self._harvests.put(await self.collect(entry, task, plan))

    async def collect(self, entry: Entry, task: Task | None, plan: Plan) -> Harvest:
        """Call one device and bring in what the plan says."""
        collected = Collected()
        outcome = await self._caller.call(entry, collect(plan, collected, time.time))
        return Harvest(entry, task, collected, outcome)

    async def _store_all(self) -> None:
        while True:
            batch = [await self._harvests.get()]
            await asyncio.sleep(_LINGER_S)
            await self.keep(self._gathered(batch))

    def _gathered(self, batch: list[Harvest]) -> list[Harvest]:
        while len(batch) < _BATCH and not self._harvests.empty():
            batch.append(self._harvests.get_nowait())
        return batch

    async def _flush(self) -> None:
        while batch := self._gathered([]):
            await self.keep(batch)

    async def keep(self, harvests: list[Harvest]) -> Stored:
        """Store harvests and count them."""
        stored = await self.in_thread(lambda: self._writer.store(harvests))
        self._count(stored)
        return stored

    def _count(self, stored: Stored) -> None:
        progress = self.progress
        progress.values += stored.values
        progress.events += stored.events
        progress.causes.update(stored.causes)
        progress.store_error = stored.error
        for sheaf in stored.sheaves:
            self._tell(sheaf)

    def _tell(self, sheaf: Sheaf) -> None:
        progress, outcome, device = self.progress, sheaf.harvest.outcome, sheaf.harvest.entry.device
        progress.contacts += 1
        progress.devices.add(device.id)
        progress.octets += outcome.report.octets
        if sheaf.cause == "ok":
            progress.read.add(device.id)
            progress.durations_s.append(outcome.duration_s)
        self._live.tell(
            Happening(
                "collected" if sheaf.cause == "ok" else "failed",
                device.serial,
                f"{sheaf.values} values" if sheaf.cause == "ok" else f"{sheaf.cause}: {sheaf.error}",
                outcome.started_s,
                {"values": sheaf.values, "ms": round(outcome.duration_s * 1000, 2), "cause": sheaf.cause},
            )
        )
