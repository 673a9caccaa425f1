"""Collection on schedule: due tasks are claimed in batches, called by a fixed number of workers, stored in batches."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from meterway.base.errors import MeterwayError, StoreError
from meterway.headend.collect import Collected, Plan, collect
from meterway.headend.contact import Caller, Outcome
from meterway.headend.fleet import Entry, Fleet
from meterway.headend.harvest import Harvest, Sheaf
from meterway.headend.live import Happening, Live
from meterway.headend.load_reading import has_loads, with_load
from meterway.headend.mbus_clients import with_behind
from meterway.headend.neighbourhood import with_nodes
from meterway.headend.route import is_concentrator, lists_channels
from meterway.headend.writer import Stored, Writer
from meterway.stacks.dlms.client.session import SessionFailed
from meterway.store.database import Store
from meterway.store.tasks import Task

__all__ = ["Collector", "Progress"]

T = TypeVar("T")

_Due = tuple[Entry, Task, Plan | MeterwayError]

_LOG: Final = logging.getLogger(__name__)
_BATCH: Final = 64
_KEPT: Final = 20_000
_LEASE_MS: Final = 600_000
_IDLE_S: Final = 1.0
_LINGER_S: Final = 0.05
_PRUNE_EVERY_MS: Final = 3_600_000
_TASKS_KEPT_MS: Final = 2 * 86_400_000
_CONTACTS_KEPT_MS: Final = 90 * 86_400_000


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
    """Runs until it is stopped. ``plan_of`` says what to read of a device now (called in the writer's thread).

    What is claimed is held until it is stored or put off: its lease is lengthened in time, and it is given back when
    the collector stops. ``_held`` and ``_unsettled`` belong to the writer's thread.
    """

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
        self._due: asyncio.Queue[_Due] = asyncio.Queue(max(_BATCH, 4 * concurrency))
        self._harvests: asyncio.Queue[Harvest] = asyncio.Queue(_BATCH * 4)
        self._in_hand: list[Harvest] = []
        self._storing: asyncio.Task[Stored] | None = None
        self._thread = ThreadPoolExecutor(1, "meterway-writer")
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"
        self._wake = asyncio.Event()
        self._held: dict[int, Task] = {}
        self._unsettled: list[Task] = []
        self._pruned_ms = 0
        self.progress = Progress()

    def wake(self) -> None:
        """Look for due tasks now instead of at the next turn."""
        self._wake.set()

    async def run(self) -> None:
        """Collect until cancelled; what was read by then is stored, what was only claimed is given back."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._claim())
                group.create_task(self._store_all())
                for _ in range(self._concurrency):
                    group.create_task(self._work())
        finally:
            await self._flush()
            await self.in_thread(self._give_back)

    def close(self) -> None:
        """End the thread that writes; nothing is stored after this."""
        self._thread.shutdown(wait=True)

    async def in_thread(self, step: Callable[[], T]) -> T:
        """Run a blocking step on the thread that writes to the store."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, step)

    # -- claiming -----------------------------------------------------------------------------------------------------

    async def _claim(self) -> None:
        while True:
            self._wake.clear()
            room = self._due.maxsize - self._due.qsize()
            try:
                claimed = await self.in_thread(lambda: self._claimed(room if room >= _BATCH // 2 else 0))  # noqa: B023
            except StoreError as error:
                claimed = []
                self._refused(error)
            for due in claimed:
                self._due.put_nowait(due)
            if not claimed:
                await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_IDLE_S):
                await self._wake.wait()
        except TimeoutError:
            return

    def _refused(self, error: StoreError) -> None:
        self.progress.causes["store"] += 1
        self.progress.store_error = str(error)
        self._live.tell(Happening("store-refused", "", str(error), time.time(), {"cause": "store"}))

    def _claimed(self, room: int) -> list[_Due]:
        now_ms = int(time.time() * 1000)
        self._settle(now_ms)
        self._lengthen(now_ms)
        self._prune(now_ms)
        many = min(room, _BATCH)
        if not many:
            return []
        tasks = self._store.tasks.claim(self._owner, many=many, lease_ms=_LEASE_MS, now_ms=now_ms)
        self._held |= {task.id: task for task in tasks}
        try:
            entries = [self._fleet.for_collection(task.device) for task in tasks]
            if entries:
                self._fleet.prepare(entries)
        except StoreError:
            self._let_go(tasks)
            raise
        return [(entry, task, self._planned(entry)) for entry, task in zip(entries, tasks, strict=True)]

    def _planned(self, entry: Entry) -> Plan | MeterwayError:
        try:
            return self._plan_of(entry)
        except MeterwayError as error:
            return error

    def _let_go(self, tasks: list[Task]) -> None:
        for task in tasks:
            self._held.pop(task.id, None)
        self._unsettled += tasks

    def _settle(self, now_ms: int) -> None:
        """Give back the tasks whose failure could not be stored when it happened."""
        if self._unsettled:
            self._store.tasks.release(self._unsettled, now_ms=now_ms)
            self._unsettled = []

    def _lengthen(self, now_ms: int) -> None:
        """Keep what is still being worked on; what another has taken over meanwhile is dropped."""
        late = [task for task in self._held.values() if (task.lease_until_ms or 0) < now_ms + _LEASE_MS // 2]
        if not late:
            return
        kept = self._store.tasks.extend(late, until_ms=now_ms + _LEASE_MS)
        for task in late:
            if task.id in kept:
                self._held[task.id] = replace(task, lease_until_ms=now_ms + _LEASE_MS)
            else:
                del self._held[task.id]

    def _prune(self, now_ms: int) -> None:
        """Now and then, forget what was done long ago."""
        if now_ms - self._pruned_ms > _PRUNE_EVERY_MS:
            self._store.tasks.prune(before_ms=now_ms - _TASKS_KEPT_MS)
            self._store.contacts.prune(before_ms=now_ms - _CONTACTS_KEPT_MS)
            self._pruned_ms = now_ms

    def _give_back(self) -> None:
        self._let_go(list(self._held.values()))
        try:
            self._settle(int(time.time() * 1000))
        except StoreError as error:
            _LOG.warning("claimed tasks wait for their lease to run out: %s", error)

    # -- calling ------------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            entry, task, plan = await self._due.get()
            if self._due.qsize() * 2 < self._due.maxsize:
                self._wake.set()
            if task.id in self._held:
                await self._harvests.put(await self._called(entry, task, plan))

    async def _called(self, entry: Entry, task: Task, plan: Plan | MeterwayError) -> Harvest:
        if isinstance(plan, StoreError):
            return _failed(entry, task, "store", plan)
        if isinstance(plan, MeterwayError):
            return _failed(entry, task, "config", plan)
        try:
            return await self.collect(entry, task, plan)
        except Exception as error:  # one device must not end the collection of all others
            _LOG.exception("calling %s failed", entry.device.serial)
            return _failed(entry, task, "internal", MeterwayError(f"{type(error).__name__}: {error}"))

    async def collect(self, entry: Entry, task: Task | None, plan: Plan) -> Harvest:
        """Call one device and bring in what the plan says."""
        collected = Collected()
        script = collect(plan, collected, time.time)
        if not entry.is_mirror and lists_channels(entry.device.profile):
            script = with_behind(script, collected, list_max=plan.list_max, own_sap=entry.device.sap)
        if not entry.is_mirror and is_concentrator(entry.device.profile):
            script = with_nodes(script, collected, time.time)
        if has_loads(entry.device.profile):
            script = with_load(script, collected, time.time)
        outcome = await self._caller.call(entry, script)
        return Harvest(entry, task, collected, outcome)

    # -- storing ------------------------------------------------------------------------------------------------------

    async def _store_all(self) -> None:
        while True:
            self._in_hand.append(await self._harvests.get())
            await asyncio.sleep(_LINGER_S)
            self._storing = asyncio.create_task(self.keep(self._taken()))
            await asyncio.shield(self._storing)

    def _taken(self) -> list[Harvest]:
        batch, self._in_hand = self._in_hand, []
        while len(batch) < _BATCH and not self._harvests.empty():
            batch.append(self._harvests.get_nowait())
        return batch

    async def _flush(self) -> None:
        if self._storing is not None:
            await self._storing
        while batch := self._taken():
            await self.keep(batch)

    async def keep(self, harvests: list[Harvest]) -> Stored:
        """Store harvests and count them."""
        stored = await self.in_thread(lambda: self._kept(harvests))
        self._count(stored)
        return stored

    def _kept(self, harvests: list[Harvest]) -> Stored:
        stored = self._writer.store(harvests)
        for harvest in harvests:
            if harvest.task is not None:
                self._held.pop(harvest.task.id, None)
        self._unsettled += stored.unsettled
        return stored

    def _count(self, stored: Stored) -> None:
        progress = self.progress
        progress.values += stored.values
        progress.events += stored.events
        progress.causes.update(stored.causes)
        progress.store_error = stored.error
        for sheaf in stored.sheaves:
            self._tell(sheaf)
        for change in stored.changes:
            serial, _, text = change.partition(" ")
            self._live.tell(Happening("topology", serial, text, time.time(), {}))
        if stored.changes:
            self.wake()

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


def _failed(entry: Entry, task: Task, cause: str, error: MeterwayError) -> Harvest:
    """A device that was not called at all."""
    return Harvest(entry, task, Collected(), Outcome(SessionFailed(cause, error, (), 0), time.time(), 0.0))
