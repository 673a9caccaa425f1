"""Storing harvests: in batches, each in one transaction, in a thread of its own.

A task counts as done in the transaction that stores its readings. If the store refuses (disk full), nothing of the
batch is stored and no task of it is done: its devices keep their readings and are asked again.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

from meterway.base.errors import MeterwayError, StoreError
from meterway.base.obis import Obis
from meterway.headend.fleet import Fleet
from meterway.headend.harvest import Harvest, Sheaf, thresh
from meterway.headend.laying import Part, laid
from meterway.headend.load_state import keep_load
from meterway.headend.neighbourhood import Neighbourhood
from meterway.headend.rules import is_worth_retrying
from meterway.headend.topology import Topology
from meterway.headend.watch import alarm_rows, balance_days
from meterway.store.database import Store
from meterway.store.tasks import NewTask, Task, backoff_ms

__all__ = ["Stored", "Writer", "WriterRules"]

_LOG: Final = logging.getLogger(__name__)
_FIRMWARE: Final = Obis(1, 0, 0, 2, 0).short
_EVIDENCE: Final = b'{"source": "%s", "session_ms": %d}'


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
    changes: list[str] = field(default_factory=list)
    """What became known of who is behind which gateway, a sentence each."""
    unsettled: list[Task] = field(default_factory=list)
    """Tasks whose failure the store would not take either; their lease still runs."""


class Writer:
    """Turns harvests into rows."""

    def __init__(self, store: Store, fleet: Fleet, rules: WriterRules, topology: Topology) -> None:
        self._store = store
        self._fleet = fleet
        self._rules = rules
        self._topology = topology
        self.neighbourhood = Neighbourhood(store, fleet, topology.released)

    def store(self, harvests: list[Harvest]) -> Stored:
        """Store a batch together, or each device alone if that is refused.

        Never raises for what came from devices or for a store that refuses.
        """
        sheaves = [self._thresh(harvest) for harvest in harvests]
        stored = self._store_together(sheaves)
        if stored.error:
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
        for sheaf in sheaves:
            self._remember(sheaf)
        return stored

    def _store_apart(self, sheaves: list[Sheaf]) -> Stored:
        """One device at a time, so that a row the store refuses keeps no other device's readings out."""
        stored = Stored(sheaves)
        for sheaf in sheaves:
            alone = self._store_together([sheaf])
            stored.values += alone.values
            stored.events += alone.events
            stored.changes += alone.changes
            if alone.error:
                stored.error = alone.error
                sheaf.cause, sheaf.error, sheaf.values = "store", alone.error, 0
                stored.unsettled += self._unsettled(sheaf)
        return stored

    def _unsettled(self, sheaf: Sheaf) -> list[Task]:
        """Put the task off to its next try; what is left if the store refuses that too."""
        now_ms = int(time.time() * 1000)
        try:
            with self._store.transaction():
                self._store.contacts.add(sheaf.contact())
                self._tasks([sheaf], now_ms)
        except StoreError:
            return [sheaf.harvest.task] if sheaf.harvest.task is not None else []
        return []

    def _thresh(self, harvest: Harvest) -> Sheaf:
        rules = self._rules
        try:
            return thresh(harvest, load_profile=rules.load_profile, clock_invalid_beyond_s=rules.clock_invalid_beyond_s)
        except MeterwayError as error:
            return Sheaf(harvest, cause="data", error=str(error))
        except Exception as error:  # one device's octets must not stop the storing of all others
            _LOG.exception("what %s sent could not be decoded", harvest.entry.device.serial)
            return Sheaf(harvest, cause="internal", error=f"{type(error).__name__}: {error}")

    def _write(self, sheaves: list[Sheaf], now_ms: int, stored: Stored) -> None:
        store = self._store
        parts = [
            Part(sheaf.harvest.entry.device.id, block, _evidence(sheaf), has_all=True)
            for sheaf in sheaves
            for block in sheaf.blocks
        ]
        store.blocks.upsert_many(list(laid(store, parts)), now_ms=now_ms)
        store.readings.add_many([row for sheaf in sheaves for row in sheaf.readings], now_ms=now_ms)
        stored.events = store.events.add_many([event for sheaf in sheaves for event in sheaf.events])
        store.contacts.add_many(sheaf.contact() for sheaf in sheaves)
        store.counters.note_many(self._counters(sheaves))
        self._keep_layouts(sheaves)
        self._keep_identities(sheaves, now_ms)
        self._devices(sheaves, now_ms)
        self._tasks(sheaves, now_ms)
        for sheaf in sheaves:
            behind, nodes = sheaf.harvest.collected.behind, sheaf.harvest.collected.nodes
            if behind is not None:
                stored.changes += self._topology.settle(sheaf.harvest.entry.device, behind, now_ms=now_ms)
            if nodes is not None:
                stored.changes += self.neighbourhood.settle(sheaf.harvest.entry.device, nodes, now_ms=now_ms)
            device, collected = sheaf.harvest.entry.device.id, sheaf.harvest.collected
            if collected.load is not None:
                keep_load(store, device, collected.load)
            store.balances.put_many(balance_days(device, collected.balances))
            store.alarms.put_many(alarm_rows(device, collected.alarms))
        stored.values = sum(sheaf.values for sheaf in sheaves)

    def _counters(self, sheaves: list[Sheaf]) -> dict[tuple[int, str], int]:
        values = self._fleet.received_counters(sheaf.harvest.entry for sheaf in sheaves)
        for sheaf in sheaves:
            device = sheaf.harvest.entry.device.id
            values |= {(device, name): seconds for name, seconds in sheaf.watermarks.items() if seconds > 0}
        return values

    def _keep_layouts(self, sheaves: list[Sheaf]) -> None:
        for sheaf in sheaves:
            entry, layout = sheaf.harvest.entry, sheaf.harvest.collected.layout
            if layout is not None and entry.layout is not layout:
                self._store.settings.put(entry.layout_name, layout.encode())

    def _keep_identities(self, sheaves: list[Sheaf], now_ms: int) -> None:
        for sheaf in sheaves:
            changes = _learnt(sheaf)
            if changes:
                self._store.devices.update(sheaf.harvest.entry.device.id, changes, now_ms=now_ms)

    @staticmethod
    def _remember(sheaf: Sheaf) -> None:
        """What was learnt is known from now on; called when it is on disk."""
        entry, layout = sheaf.harvest.entry, sheaf.harvest.collected.layout
        changes = _learnt(sheaf)
        if changes:
            title, firmware = changes.get("system_title"), changes.get("firmware")
            entry.device = replace(
                entry.device,
                system_title=title if isinstance(title, bytes) else entry.device.system_title,
                firmware=firmware if isinstance(firmware, str) else entry.device.firmware,
            )
        entry.layout = layout if layout is not None else entry.layout

    def _devices(self, sheaves: list[Sheaf], now_ms: int) -> None:
        # When mirrored data is read, the concentrator says when it heard the device itself.
        reached = [s.harvest.entry.device for s in sheaves if s.cause == "ok" and not s.harvest.entry.is_mirror]
        self._store.devices.seen([(device.id, now_ms) for device in reached])
        kept = [s for s in sheaves if s.harvest.entry.device.id not in self._topology.released]
        changed = [(s.harvest.entry.device.id, "active" if s.cause == "ok" else "failing") for s in kept]
        self._store.devices.set_states(changed, now_ms=now_ms)

    def _tasks(self, sheaves: list[Sheaf], now_ms: int) -> None:
        tasks = self._store.tasks
        done = [s.harvest.task for s in sheaves if s.harvest.task is not None and s.cause == "ok"]
        held = tasks.complete(done, now_ms=now_ms)
        released = self._topology.released
        again = [task for task in done if task.id in held and task.device not in released]
        tasks.add_many([self._next_turn(task.device, now_ms) for task in again], now_ms=now_ms)
        for sheaf in sheaves:
            task = sheaf.harvest.task
            if task is not None and sheaf.cause != "ok":
                retry_ms = None if task.device in released else self._retry_ms(sheaf, now_ms)
                tasks.fail(task, f"{sheaf.cause}: {sheaf.error}", now_ms=now_ms, retry_ms=retry_ms)

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


def _evidence(sheaf: Sheaf) -> bytes:
    source = b"mirror" if sheaf.harvest.entry.is_mirror else b"collect"
    return _EVIDENCE % (source, int(sheaf.harvest.outcome.started_s * 1000))


def _learnt(sheaf: Sheaf) -> dict[str, object]:
    """What a session told of the device that its registry row does not say yet."""
    entry, layout = sheaf.harvest.entry, sheaf.harvest.collected.layout
    changes: dict[str, object] = {}
    if entry.title and not entry.device.system_title and not entry.is_mirror:
        changes["system_title"] = entry.title
    firmware = layout.identity.get(_FIRMWARE, "") if layout is not None else ""
    if firmware and firmware != entry.device.firmware:
        changes["firmware"] = firmware
    return changes
