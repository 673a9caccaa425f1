"""Orders to groups being carried out: one broadcast a concentrator, or meter by meter; a sample read back; reported."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from meterway.base.errors import ConfigError, LinkError, MeterwayError
from meterway.headend import groups
from meterway.headend.broadcast import Hands, broadcast_apdu, deliver, states
from meterway.headend.commands import Command
from meterway.headend.groups import GroupPlan, OrderWanted, Part
from meterway.headend.sampling import sample_size, upper_bound
from meterway.mapping.neighbourhood import GroupOrder, OrderState
from meterway.model.telegram import Json
from meterway.store.devices import Device

__all__ = ["Orders", "PartReport", "OrderReport"]

T = TypeVar("T")
_PARALLEL: Final = 8
_OFF_S: Final = 60.0
_BEAT_S: Final = 30.0
_LOST_S: Final = 4 * _BEAT_S


class PartReport(msgspec.Struct, kw_only=True):
    """What came of an order behind one concentrator. ``sampled`` were read back, ``confirmed`` of them had done it.

    With the order's confidence at most the share ``failed_at_most`` of the members has not.
    """

    nnap: str
    way: str
    why: str
    members: int
    state: str = "waiting"
    sampled: int = 0
    confirmed: int = 0
    failed_at_most: float = 1.0
    devices: dict[str, str] = {}
    """What is known of single devices, by serial: ``confirmed``, or what stood against it."""


class OrderReport(msgspec.Struct, kw_only=True):
    """An order and how it stands: ``planned`` (dry run), waiting, running, done, expired, interrupted."""

    id: str
    group: str
    kind: str
    actor: str
    state: str
    not_before: float
    expires: float
    confidence: float
    parts: list[PartReport]


class Orders:
    """Carries out orders, each as a task of its own, and keeps their reports in the store."""

    def __init__(self, head_end: Hands, *, poll_s: float = 5.0) -> None:
        self._hes = head_end
        self._poll_s = poll_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: set[str] = set()
        self.is_shared = head_end.store.session.dialect.name != "sqlite"
        """Whether other processes may carry out orders of this store."""

    async def begin(self, group: str, wanted: OrderWanted, *, actor: str) -> OrderReport:
        """Plan an order and begin it; a dry run only plans. ConfigError for what cannot be ordered."""
        now = time.time()
        start, end = wanted.window(now)
        groups.command_of(wanted)
        found = await self._thread(lambda: self._planned(group, wanted))
        report = OrderReport(
            id=secrets.token_hex(8),
            group=group,
            kind=wanted.kind,
            actor=actor,
            state="planned" if wanted.dry_run else "waiting",
            not_before=start,
            expires=end,
            confidence=wanted.confidence,
            parts=[_empty(part) for part in found.parts],
        )
        if wanted.dry_run:
            return report
        self._running.add(report.id)
        await self._thread(lambda: self._open(report, found))
        task = asyncio.create_task(self._run(report, found, wanted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._running.discard(report.id))
        await asyncio.sleep(0)  # it has begun, so that whoever ends it is noticed
        return report

    def report(self, name: str) -> OrderReport:
        """How an order stands; ConfigError if there is none of that id."""
        stored = self._hes.store.orders.find(name)
        if stored is None:
            raise ConfigError(f"there is no order {name!r}")
        return msgspec.json.decode(stored.document, type=OrderReport)

    def recent(self, limit: int = 50) -> list[OrderReport]:
        """The last orders, the newest first."""
        return [
            msgspec.json.decode(each.document, type=OrderReport) for each in self._hes.store.orders.recent(limit=limit)
        ]

    def interrupted(self) -> None:
        """Say of orders that another process left unfinished that nobody carries them on. Call it now and then.

        Where several processes may share the store, that is known of what was not kept for some beats; a store of our
        own has no other that could carry on.
        """
        store = self._hes.store
        latest_ms = int(time.time() * 1000) - int(_LOST_S * 1000 if self.is_shared else 0)
        for each in store.orders.recent(limit=1000):
            if each.state in ("waiting", "running") and each.name not in self._running and each.changed_ms <= latest_ms:
                report = msgspec.json.decode(each.document, type=OrderReport)
                report.state = "interrupted"
                self._keep(report)

    async def watch(self) -> None:
        """Look for what was left unfinished, until cancelled."""
        while True:
            await asyncio.sleep(_BEAT_S)
            await self._thread(self.interrupted)

    async def _beat(self, report: OrderReport) -> None:
        """Keep an order again and again: others see by that that somebody carries it out."""
        while True:
            await asyncio.sleep(_BEAT_S)
            await self._thread(lambda: self._keep(report))

    async def stop(self) -> None:
        """End what runs; it counts as interrupted."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- one order ----------------------------------------------------------------------------------------------------

    def _planned(self, group: str, wanted: OrderWanted) -> GroupPlan:
        store, vault = self._hes.store, self._hes.vault
        devices = groups.members(store, group)
        if not devices:
            raise ConfigError(f"group {group} has no member")
        has_key = frozenset(
            each.id for each in store.devices.gateways() if "gbek" in vault.open_all(each.serial, each.keys)
        )
        return groups.plan(store, devices, wanted, has_key=has_key)

    def _open(self, report: OrderReport, found: GroupPlan) -> None:
        """On record before anything happens."""
        with self._hes.store.transaction():
            self._keep(report)
            for part in found.parts:
                text = f"order {report.id} to group {report.group}: {len(part.members)} meters"
                self._hes.store.audit.append(
                    report.actor,
                    f"group {report.kind}",
                    time_ms=int(time.time() * 1000),
                    result="asked",
                    device=part.nnap.id if part.nnap is not None else None,
                    detail=f"{text} by broadcast" if part.is_broadcast else text,
                )

    def _keep(self, report: OrderReport) -> None:
        document = msgspec.json.encode(report).decode()
        self._hes.store.orders.put(report.id, report.state, document, now_ms=int(time.time() * 1000))

    async def _run(self, report: OrderReport, found: GroupPlan, wanted: OrderWanted) -> None:
        report.state = "running"
        room = asyncio.Semaphore(_PARALLEL)
        beats = asyncio.create_task(self._beat(report))
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + report.expires - time.time()):
                async with asyncio.TaskGroup() as group:
                    for part, told in zip(found.parts, report.parts, strict=True):
                        work = self._broadcast if part.is_broadcast else self._one_by_one
                        group.create_task(work(report, part, told, wanted, room))
            report.state = "done"
        except TimeoutError:
            report.state = "expired"
            for told in report.parts:
                told.state = told.state if told.state == "done" else "expired"
        except BaseException:
            report.state = "interrupted"
            raise
        finally:
            beats.cancel()
            await asyncio.gather(beats, return_exceptions=True)
            await self._thread(lambda: self._close(report, found))

    def _close(self, report: OrderReport, found: GroupPlan) -> None:
        with self._hes.store.transaction():
            self._keep(report)
            for part, told in zip(found.parts, report.parts, strict=True):
                self._hes.store.audit.append(
                    report.actor,
                    f"group {report.kind}",
                    time_ms=int(time.time() * 1000),
                    result=told.state,
                    device=part.nnap.id if part.nnap is not None else None,
                    detail=f"order {report.id}: {told.confirmed} of {told.sampled} read back have done it",
                )

    async def _broadcast(
        self, report: OrderReport, part: Part, told: PartReport, wanted: OrderWanted, room: asyncio.Semaphore
    ) -> None:
        """One order to the concentrator, then a sample of its meters, end to end."""
        nnap = part.nnap
        if nnap is None:
            return
        command, _, _ = groups.command_of(wanted)
        try:
            apdu = await self._thread(lambda: broadcast_apdu(self._hes, nnap, command))
            order = GroupOrder(
                id=report.id.encode(),
                apdu=apdu,
                not_before=int(report.not_before),
                expires=int(report.expires),
                members=(),
                client=part.client,
            )
            await deliver(self._hes, nnap.serial, order)
            told.state = (await self._sent(nnap.serial, order.id)).name.lower()
        except MeterwayError as error:
            told.state = f"failed: {error}"
            return
        if told.state in ("sent", "unsure"):
            size = wanted.sample or sample_size(
                len(part.members), confidence=wanted.confidence, tolerated=wanted.tolerated
            )
            chosen = random.SystemRandom().sample(part.members, min(size, len(part.members)))
            await self._read_back(chosen, told, wanted, room)
            told.state = "done"

    async def _sent(self, nnap: str, order: bytes) -> OrderState:
        """What became of an order; one that was handed over may be under way while its concentrator cannot be asked."""
        while True:
            try:
                told = await states(self._hes, nnap)
            except LinkError:
                told = ()
            found = next((each for each in told if each.id == order), None)
            if found is not None and found.state is not OrderState.WAITING:
                return found.state
            await asyncio.sleep(self._poll_s)

    async def _one_by_one(
        self, report: OrderReport, part: Part, told: PartReport, wanted: OrderWanted, room: asyncio.Semaphore
    ) -> None:
        """Each meter by itself: its own answer is what is known of it, so all of them count as read back."""
        await asyncio.sleep(max(0.0, report.not_before - time.time()))
        command, _, _ = groups.command_of(wanted)
        call = self._hes.act if command.method != "" else self._hes.set

        async def one(device: Device) -> None:
            async with room:
                try:
                    answered = await call(device.serial, command, actor=report.actor)
                except MeterwayError as error:
                    told.devices[device.serial] = f"failed: {error}"
                    return
            refusal = answered.refusal
            told.devices[device.serial] = f"refused: {refusal}" if refusal else "accepted"

        await asyncio.gather(*(one(device) for device in part.members))
        accepted = [device for device in part.members if told.devices.get(device.serial) == "accepted"]
        await self._read_back(accepted, told, wanted, room)
        told.sampled = len(part.members)
        told.failed_at_most = upper_bound(told.sampled, told.sampled - told.confirmed, confidence=wanted.confidence)
        if told.confirmed == told.sampled:
            told.failed_at_most = 0.0
        told.state = "done"

    async def _read_back(
        self, chosen: list[Device], told: PartReport, wanted: OrderWanted, room: asyncio.Semaphore
    ) -> None:
        await asyncio.sleep(wanted.settle_s)
        _, _, expected = groups.command_of(wanted)
        asked = groups.shown_by(wanted)

        async def one(device: Device) -> None:
            async with room:
                told.devices[device.serial] = await self._found(device, asked, wanted, expected)

        await asyncio.gather(*(one(device) for device in chosen))
        told.sampled = len(chosen)
        told.confirmed = sum(1 for device in chosen if told.devices[device.serial] == "confirmed")
        told.failed_at_most = upper_bound(told.sampled, told.sampled - told.confirmed, confidence=wanted.confidence)
        if told.sampled == told.members == told.confirmed:
            told.failed_at_most = 0.0

    async def _found(self, device: Device, asked: Command, wanted: OrderWanted, expected: Json) -> str:
        try:
            answered = await self._hes.read(device.serial, asked, actor="group order")
        except MeterwayError as error:
            return f"not read back: {error}"
        if answered.refusal:
            return f"not read back: {answered.refusal}"
        return "confirmed" if _shows(answered.value, wanted, expected) else f"not done: {answered.value}"

    async def _thread(self, step: Callable[[], T]) -> T:
        return await self._hes.collector.in_thread(step)


def _shows(value: Json, wanted: OrderWanted, expected: Json) -> bool:
    if wanted.kind == "clock":
        try:
            return abs(datetime.fromisoformat(str(value)).timestamp() - time.time()) <= _OFF_S
        except ValueError:
            return False
    if wanted.kind == "emergency" and isinstance(wanted.value, dict) and isinstance(value, dict):
        return all(value.get(name) == given for name, given in wanted.value.items())
    return value == expected


def _empty(part: Part) -> PartReport:
    return PartReport(
        nnap=part.nnap.serial if part.nnap is not None else "",
        way="broadcast" if part.is_broadcast else "one by one",
        why=part.why,
        members=len(part.members),
        devices={},
    )
