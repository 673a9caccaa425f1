"""Storing harvests: in batches, each in one transaction, in a thread of its own.

A task counts as done in the transaction that stores its readings. If the store refuses (disk full), nothing of the
batch is stored and no task of it is done: its devices keep their readings and are asked again.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from meterway.base.errors import MeterwayError, StoreError
from meterway.base.obis import Obis
from meterway.headend.fleet import Fleet
from meterway.headend.harvest import Harvest, Sheaf, thresh
from meterway.headend.rules import is_worth_retrying
from meterway.store.block import Block, batch_of, merged
from meterway.store.blocks import NewBlock
from meterway.store.database import Store
from meterway.store.packing import Packed, pack_many
from meterway.store.tasks import NewTask, backoff_ms

__all__ = ["Stored", "Writer", "WriterRules"]

_EVIDENCE: Final = b'{"source": "collect", "session_ms": %d}'


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterRules:
    """``every_s`` is the collection period; a failed device is asked again with back-off until its next turn."""

    load_profile: Obis
    every_s: float
    retry_first_s: float = 30.0
    retry_longest_s: float = 3600.0
    clock_invalid_beyond_s: float = 86400.0


@dataclass(slots=True)
class Stored:
    """What became of a batch."""

    sheaves: list[Sheaf] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)
    values: int = 0
    events: int = 0
    error: str = ""


class Writer:
    """Turns harvests into rows."""

    def __init__(self, store: Store, fleet: Fleet, rules: WriterRules) -> None:
        self._store = store
        self._fleet = fleet
        self._rules = rules

    def store(self, harvests: list[Harvest]) -> Stored:
        """Store all of a batch or nothing; never raises for what came from devices or for a store that refuses."""
        sheaves = [self._thresh(harvest) for harvest in harvests]
        stored = self._store_together(sheaves)
        if stored.error and len(sheaves) > 1:
            stored = self._store_apart(sheaves)
        stored.causes.update(sheaf.cause for sheaf in sheaves)
        return stored

    def _store_together(self, sheaves: list[Sheaf]) -> Stored:
        stored = Stored(sheaves)
        try:
            with self._store.transaction():
                self._write(sheaves, int(time.time() * 1000), stored)
        except StoreError as error:
            return Stored(sheaves, error=str(error))
        return stored

    def _store_apart(self, sheaves: list[Sheaf]) -> Stored:
        """One device at a time, so that a row the store refuses keeps no other device's readings out."""
        stored = Stored(sheaves)
        for sheaf in sheaves:
            alone = self._store_together([sheaf])
            stored.values += alone.values
            stored.events += alone.events
            if alone.error:
                stored.error = alone.error
                sheaf.cause, sheaf.error = "store", alone.error
        return stored

    def _thresh(self, harvest: Harvest) -> Sheaf:
        rules = self._rules
        try:
            return thresh(harvest, load_profile=rules.load_profile, clock_invalid_beyond_s=rules.clock_invalid_beyond_s)
        except MeterwayError as error:
            return Sheaf(harvest, cause="data", error=str(error))

    def _write(self, sheaves: list[Sheaf], now_ms: int, stored: Stored) -> None:
        store = self._store
        store.blocks.upsert_many(list(self._new_blocks(sheaves)), now_ms=now_ms)
        store.readings.add_many([row for sheaf in sheaves for row in sheaf.readings], now_ms=now_ms)
        stored.events = store.events.add_many([event for sheaf in sheaves for event in sheaf.events])
        store.contacts.add_many(sheaf.contact() for sheaf in sheaves)
        store.counters.raise_many(self._counters(sheaves))
        self._keep_layouts(sheaves)
        self._devices(sheaves, now_ms)
        self._tasks(sheaves, now_ms)
        stored.values = sum(sheaf.values for sheaf in sheaves)

    def _new_blocks(self, sheaves: list[Sheaf]) -> Iterable[NewBlock]:
        owned = [
            (sheaf, self._laid_over(sheaf.harvest.entry.device.id, block))
            for sheaf in sheaves
            for block in sheaf.blocks
        ]
        shapes: dict[tuple[object, ...], list[tuple[Sheaf, Block]]] = {}
        for sheaf, block in owned:
            shape = (block.interval_s, block.slots, tuple(channel.column for channel in block.channels))
            shapes.setdefault(shape, []).append((sheaf, block))
        for group in shapes.values():
            packed = pack_many(batch_of([block for _, block in group]))
            for (sheaf, _), octets in zip(group, packed, strict=True):
                yield _new_block(sheaf, octets)

    def _laid_over(self, device: int, block: Block) -> Block:
        """A day that is not read whole is laid over what the store has of it."""
        if block.channels[0].present.all():
            return block
        known = self._store.blocks.read_range(device, block.day, block.day + 1)
        return merged(known[0].block, block) if known else block

    def _counters(self, sheaves: list[Sheaf]) -> dict[tuple[int, str], int]:
        values = self._fleet.received_counters(sheaf.harvest.entry for sheaf in sheaves)
        for sheaf in sheaves:
            device = sheaf.harvest.entry.device.id
            for name, seconds in sheaf.watermarks.items():
                if seconds > self._store.counters.next(device, name):
                    values[device, name] = seconds
        return values

    def _keep_layouts(self, sheaves: list[Sheaf]) -> None:
        for sheaf in sheaves:
            entry, layout = sheaf.harvest.entry, sheaf.harvest.collected.layout
            if layout is not None and entry.layout is not layout:
                self._store.settings.put(f"layout:{entry.device.id}", layout.encode())
                entry.layout = layout

    def _devices(self, sheaves: list[Sheaf], now_ms: int) -> None:
        reached = [s.harvest.entry.device for s in sheaves if s.cause == "ok"]
        self._store.devices.seen([(device.id, now_ms) for device in reached])
        changed = [(s.harvest.entry.device.id, "active" if s.cause == "ok" else "failing") for s in sheaves]
        self._store.devices.set_states(changed, now_ms=now_ms)

    def _tasks(self, sheaves: list[Sheaf], now_ms: int) -> None:
        tasks = self._store.tasks
        done = [s.harvest.task for s in sheaves if s.harvest.task is not None and s.cause == "ok"]
        tasks.complete(done, now_ms=now_ms)
        tasks.add_many([self._next_turn(task.device, now_ms) for task in done], now_ms=now_ms)
        for sheaf in sheaves:
            task = sheaf.harvest.task
            if task is not None and sheaf.cause != "ok":
                tasks.fail(task, f"{sheaf.cause}: {sheaf.error}", now_ms=now_ms, retry_ms=self._retry_ms(sheaf, now_ms))

    def _next_turn(self, device: int, now_ms: int) -> NewTask:
        """The same phase in every period for one device, spread over all devices."""
        period_ms = int(self._rules.every_s * 1000)
        phase = (device * 2654435761) % period_ms
        due = now_ms - (now_ms - phase) % period_ms + period_ms
        return NewTask(device=device, kind="collect", due_ms=due, name=f"collect:{device}:{due}")

    def _retry_ms(self, sheaf: Sheaf, now_ms: int) -> int:
        rules, task = self._rules, sheaf.harvest.task
        if task is None or not is_worth_retrying(sheaf.cause):
            return now_ms + int(rules.retry_longest_s * 1000 * (1 + random.random()))  # noqa: S311  spreads load only
        wait = backoff_ms(
            task.attempts,
            first_ms=int(rules.retry_first_s * 1000),
            longest_ms=int(rules.retry_longest_s * 1000),
            jitter=random.random(),  # noqa: S311  spreads load only
        )
        return now_ms + wait


def _new_block(sheaf: Sheaf, packed: Packed) -> NewBlock:
    evidence = _EVIDENCE % int(sheaf.harvest.outcome.started_s * 1000)
    return NewBlock(device=sheaf.harvest.entry.device.id, packed=packed, evidence=evidence)
