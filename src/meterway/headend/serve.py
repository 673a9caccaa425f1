"""The head end at work: store, fleet, collector, push listener, on-demand commands, in one process."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from meterway.base.errors import ConfigError, MeterwayError
from meterway.base.obis import Obis
from meterway.headend import commands, mbus_clients
from meterway.headend.broker import Broker
from meterway.headend.bulk import Bulk
from meterway.headend.calls import CallListener, Calls
from meterway.headend.collector import Collector
from meterway.headend.commands import Answered, Command
from meterway.headend.config import HeadEndConfig
from meterway.headend.contact import Caller, Timing
from meterway.headend.delivery import Delivery
from meterway.headend.fleet import Entry, Fleet
from meterway.headend.key_change import KeyChange, hand_over
from meterway.headend.live import Happening, Live
from meterway.headend.orders import Orders
from meterway.headend.overheard import Overheard
from meterway.headend.plan import LOAD_PROFILE, Planner
from meterway.headend.proof import Prover
from meterway.headend.push import PushListener
from meterway.headend.route import Way
from meterway.headend.topology import Topology
from meterway.headend.traffic import TrafficSource
from meterway.headend.writer import Writer, WriterRules
from meterway.links.limits import raise_file_limit
from meterway.stacks.dlms.client.script import Script
from meterway.stacks.dlms.client.session import SessionFailed
from meterway.stacks.mbus.address import Address
from meterway.store.database import Store, open_store
from meterway.store.vault import Vault

__all__ = ["HeadEnd"]

T = TypeVar("T")
_CommandScript = Callable[[Command, Callable[[Obis], int | None]], Script[Answered]]
_LOG: Final = logging.getLogger(__name__)
_SPARE_FILES: Final = 256
_SECRETIVE: Final = frozenset({12, 15, 30, 43, 44, 64, 72})
"""Classes whose attributes and parameters hold keys and passwords."""


class HeadEnd:
    """One head end. ``start`` opens everything and begins to collect, ``stop`` ends in order."""

    def __init__(self, config: HeadEndConfig, *, store: Store | None = None, vault: Vault | None = None) -> None:
        self.config = config
        self.store = store or open_store(config.store_url)
        self.vault = vault or Vault.from_file(Path(config.master_key))
        self.live = Live()
        self.overheard = Overheard()
        self.fleet = Fleet(
            self.store,
            self.vault,
            system_title=config.title,
            client=config.client,
            far_client=config.neighbourhood.client,
        )
        collect = config.collect
        timing = Timing(
            connect_s=collect.connect_timeout_s,
            response_s=collect.response_timeout_s,
            session_s=collect.session_timeout_s,
            far_response_s=config.neighbourhood.response_timeout_s,
            far_session_s=config.neighbourhood.session_timeout_s,
            parallel=config.neighbourhood.parallel,
        )
        self.called = Calls()
        self.caller = Caller(self.fleet, timing, self.called, title=config.title)
        self.planner = Planner(self.store, collect)
        rules = WriterRules(
            load_profile=LOAD_PROFILE,
            every_s=collect.every_s,
            retry_first_s=collect.retry_first_s,
            retry_longest_s=collect.retry_longest_s,
            clock_invalid_beyond_s=collect.clock_invalid_beyond_s,
        )
        self.topology = Topology(self.store, self.fleet, self.vault)
        self.keys = KeyChange(self.store, self.fleet, self.vault)
        writer = Writer(self.store, self.fleet, rules, self.topology)
        self.collector = Collector(
            self.store,
            self.fleet,
            self.caller,
            writer,
            self.live,
            plan_of=self.planner,
            concurrency=collect.concurrency,
        )
        self.prover = Prover(
            self.store,
            self.fleet,
            self.caller,
            writer.neighbourhood,
            self.live,
            in_thread=self.collector.in_thread,
            wake=self.collector.wake,
        )
        self.delivery = Delivery(
            Bulk(self.store, self.fleet, writer.neighbourhood),
            self.live,
            in_thread=self.collector.in_thread,
            wake=self.collector.wake,
            limit=config.bulk.largest,
        )
        self.push = PushListener(self.store, self.fleet, self.live, in_thread=self.collector.in_thread)
        self.fleet.on_unasked = self.push.take
        self.calls = CallListener(
            self.store,
            self.fleet,
            self.live,
            self.called,
            push=self.push.take,
            in_thread=self.collector.in_thread,
            wake=self.collector.wake,
        )
        self.orders = Orders(self)
        self.started_s = time.time()
        self.extra_traffic: list[TrafficSource] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Bind the push port and begin to collect; ConfigError if the port is taken."""
        await self.collector.in_thread(self.orders.interrupted)
        raise_file_limit(self.config.collect.concurrency + _SPARE_FILES)
        if self.config.push.enabled:
            await self.push.start(self.config.push.host, self.config.push.port)
        self._run("push", self.push.run())  # some come on the lines of concentrators too
        if self.config.calls.enabled:
            await self.calls.start(self.config.calls.host, self.config.calls.port)
        if self.config.bulk.broker.host:
            self._run("broker", Broker(self.config.bulk.broker, self.delivery).run())
        self._run("orders", self.orders.watch())
        self._run("proofs", self.prover.run())
        if self.config.collect.enabled:
            self._run("collection", self.collector.run())

    def _run(self, name: str, work: Coroutine[None, None, None]) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                _LOG.error("%s ended", name, exc_info=error)
                self.live.tell(Happening("ended", "", f"{name}: {error}", time.time(), {}))

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        self._tasks.append(task)

    async def stop(self) -> None:
        """End what runs, store what was read, close the store."""
        await self.orders.stop()
        for task in reversed(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.calls.close()
        self.push.close()  # also if its task was cancelled before it began
        await asyncio.sleep(0)
        with suppress(MeterwayError):  # they are lost then, and none is used twice
            await self.collector.in_thread(self.fleet.give_back)
        self.collector.close()
        self.store.close()

    # -- on demand ----------------------------------------------------------------------------------------------------

    async def read(self, serial: str, command: Command, *, actor: str, way: Way = Way.DIRECT) -> Answered:
        """Read any attribute now; raises MeterwayError when the device could not be reached or understood.

        Of the device itself, end to end wherever it is, or of its mirrored data at the concentrator: then the answer
        says how old it is. Of a battery meter that a concentrator hears there is no other.
        """
        return await self._command(serial, command, commands.read, actor=actor, action="read", way=way)

    async def set(self, serial: str, command: Command, *, actor: str) -> Answered:
        """Write any attribute now."""
        return await self._command(serial, command, commands.write, actor=actor, action="set")

    async def act(self, serial: str, command: Command, *, actor: str) -> Answered:
        """Call any method now."""
        return await self._command(serial, command, commands.act, actor=actor, action="act")

    async def objects(self, serial: str) -> list[tuple[int, int, Obis]]:
        """(class, version, code) of every object the device shows."""
        entry = await self.entry(serial)
        found = await self._call(entry, commands.list_objects())
        return [(item.class_id, item.version, item.obis) for item in found]

    async def collect_now(self, serial: str) -> dict[str, int | str]:
        """One collection of one device out of turn, of itself even if it is mirrored; what came of it."""
        entry = await self.entry(serial)
        plan = await self.collector.in_thread(lambda: self.planner(entry))
        harvest = await self.collector.collect(entry, None, plan)
        stored = await self.collector.keep([harvest])
        sheaf = stored.sheaves[0]
        return {"cause": sheaf.cause, "error": sheaf.error, "values": sheaf.values}

    # -- gateways -----------------------------------------------------------------------------------------------------

    async def couple(
        self, gateway: str, channel: int, *, address: str = "", primary: int = 0, key: bytes = b"", actor: str
    ) -> Answered:
        """Have a gateway bind a meter to a channel; it is in the registry when this returns without a refusal.

        ``address`` names it (``MWY-10000001-01-03``); without one the only meter that is proposed is bound. ``primary``
        is its primary address on a wired bus, ``key`` the one its telegrams are opened with.
        """
        who = Address.parse(address) if address else None
        script = partial(mbus_clients.couple, address=who, primary=primary, key=key)
        answered = await self._tell_gateway(gateway, channel, "slave_install", script, actor=actor, action="couple")
        if key and who is not None and not answered.refusal:
            await self.collector.in_thread(
                lambda: self.topology.keep_own_key(str(who), key, now_ms=int(time.time() * 1000))
            )
        return answered

    async def decouple(self, serial: str, *, actor: str) -> Answered:
        """Have the gateway of a meter release it. What it measured stays; ConfigError if it is behind none."""
        gateway, channel = await self.collector.in_thread(lambda: self._behind(serial))
        return await self._tell_gateway(
            gateway, channel, "slave_deinstall", mbus_clients.decouple, actor=actor, action="decouple"
        )

    async def transfer_key(self, serial: str, *, new: bytes, present: bytes = b"", actor: str) -> Answered:
        """Give a meter behind a gateway a new key; ``present`` is the one it has, if the registry does not know it."""
        gateway, channel = await self.collector.in_thread(lambda: self._behind(serial))
        known = present or await self.collector.in_thread(lambda: self.topology.own_key(serial))
        script = partial(mbus_clients.transfer_key, new=new, present=known)
        answered = await self._tell_gateway(
            gateway, channel, "transfer_key", script, actor=actor, action="transfer key"
        )
        if not answered.refusal:
            await self.collector.in_thread(
                lambda: self.topology.keep_own_key(serial, new, now_ms=int(time.time() * 1000))
            )
        return answered

    async def change_keys(self, serial: str, *, actor: str) -> Answered:
        """Give a device fresh keys for its associations, wrapped under its key-encrypting key.

        If its answer is lost, that raises; which keys are in force is found out at once, or by the next change.
        """
        await self.settle_keys(serial)
        kek, fresh = await self.collector.in_thread(lambda: self.keys.begin(serial))
        command = Command(obis=Obis(0, 0, 43, 0, 0), class_id=64, method="global_key_transfer")
        script = partial(hand_over, kek=kek, fresh=fresh)
        try:
            answered = await self._command(serial, command, script, actor=actor, action="change keys")
        except MeterwayError:
            with suppress(MeterwayError):  # not now: the next change finds out
                await self.settle_keys(serial)
            raise
        if not answered.refusal:
            await self.collector.in_thread(lambda: self.keys.swap(serial))
        await self.collector.in_thread(lambda: self.keys.end(serial))
        return answered

    async def settle_keys(self, serial: str) -> bool:
        """Find out which keys are in force where a change was cut short; whether there was anything to find out.

        Raises SecurityError if neither set opens an association, LinkError if the device is not reached.
        """
        if not await self.collector.in_thread(lambda: self.keys.is_open(serial)):
            return False
        await self.collector.in_thread(lambda: self.keys.swap(serial))
        try:
            await self.objects(serial)
        except MeterwayError:
            await self.collector.in_thread(lambda: self.keys.swap(serial))
            await self.objects(serial)
        await self.collector.in_thread(lambda: self.keys.end(serial))
        return True

    def _behind(self, serial: str) -> tuple[str, int]:
        """The gateway and the channel of a meter; ConfigError if it is behind none."""
        device = self.store.devices.by_serial(serial)
        channel = device.flags.get("channel", device.sap - 1)
        if device.parent is None or not isinstance(channel, int):
            raise ConfigError(f"{serial} is behind no gateway")
        return self.store.devices.get(device.parent).serial, channel

    async def _tell_gateway(
        self, gateway: str, channel: int, method: str, script: _CommandScript, *, actor: str, action: str
    ) -> Answered:
        """A command to an M-Bus client, and what the gateway has bound afterwards."""
        command = Command(obis=mbus_clients.client_of(channel), class_id=72, method=method)
        answered = await self._command(gateway, command, script, actor=actor, action=action)
        if not answered.refusal:
            await self.collect_now(gateway)
        return answered

    async def entry(self, serial: str, way: Way = Way.DIRECT) -> Entry:
        """A device ready to be called: counters at hand, its route looked up; StoreError if there is none."""

        def load() -> Entry:
            entry = self.fleet.by_serial(serial, way)
            self.fleet.prepare([entry])
            return entry

        return await self.collector.in_thread(load)

    async def _command(
        self,
        serial: str,
        command: Command,
        script: _CommandScript,
        *,
        actor: str,
        action: str,
        way: Way = Way.DIRECT,
    ) -> Answered:
        begun = time.perf_counter()
        entry: Entry | None = None
        result = "failed"
        try:
            entry = await self.entry(serial, way)
            if action != "read":  # what changes a device is on record before it happens
                await self._audit(serial, entry, command, actor=actor, action=action, result="asked")
            known = entry
            if action == "read" and entry.is_mirror:
                script = commands.read_mirrored
            outcome = await self.caller.call(
                entry, script(command, lambda obis: self._class_of(known, obis)), is_managing=action != "read"
            )
            result = outcome.cause
            if isinstance(outcome.report, SessionFailed):
                raise outcome.report.error
            answered = outcome.report.result
            result = answered.refusal or "ok"
            return answered
        finally:
            await self._audit(serial, entry, command, actor=actor, action=action, result=result)
            took = round((time.perf_counter() - begun) * 1000, 2)
            text = f"{action} {command.obis}: {result}"
            known_serial = serial if entry is not None else ""  # pages link to a serial: only to one that is there
            self.live.tell(Happening("command", known_serial, text, time.time(), {"ms": took, "result": result}))

    async def _call(self, entry: Entry, script: Script[T]) -> T:
        outcome = await self.caller.call(entry, script)
        if isinstance(outcome.report, SessionFailed):
            raise outcome.report.error
        return outcome.report.result

    def _class_of(self, entry: Entry, obis: Obis) -> int | None:
        try:
            return self.planner.profile(entry).object(obis).class_id
        except ConfigError:
            return None

    async def _audit(
        self, serial: str, entry: Entry | None, command: Command, *, actor: str, action: str, result: str
    ) -> None:
        target = command.method if command.method != "" else command.attribute
        words = [str(command.obis), str(target)]
        if entry is None:
            words.insert(0, f"unknown device {serial[:64]!r}")
        elif action != "read" and command.value is not None and self._is_open(entry, command):
            words.append(f"= {command.value!r}"[:200])
        device = None if entry is None else entry.device.id
        now_ms = int(time.time() * 1000)

        def append() -> None:
            self.store.audit.append(actor, action, time_ms=now_ms, result=result, device=device, detail=" ".join(words))

        try:
            await self.collector.in_thread(append)
        except MeterwayError as error:
            self.live.tell(Happening("audit-failed", serial if entry else "", str(error), time.time(), {}))
            raise

    def _is_open(self, entry: Entry, command: Command) -> bool:
        """Whether the value may stand in the audit log: never where it may be a key or a password."""
        class_id = command.class_id or self._class_of(entry, command.obis)
        return class_id is not None and class_id not in _SECRETIVE
