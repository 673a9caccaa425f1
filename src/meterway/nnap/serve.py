"""The concentrator as a process: the neighbourhood below, DLMS above, reports, calls, and a tick a second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

from meterway.base.errors import LinkError, LocalProtocolError, MeterwayError, SecurityError
from meterway.links import tcp
from meterway.links.clocks import LoopClock
from meterway.links.node import NodeClock, NodePort, Topology
from meterway.links.udp import UdpEndpoint, listen_udp
from meterway.mapping.neighbourhood import HEARD_SAP, NodeRow
from meterway.nnap.alarming import Alarming, AlarmPusher
from meterway.nnap.balancing import Balancer
from meterway.nnap.broadcast import Broadcaster, time_request
from meterway.nnap.campaigns import Campaigns
from meterway.nnap.cascade import ChildLink, Uplink, cascade_row
from meterway.nnap.config import ChildConfig, NetworkConfig, NnapConfig, WakeConfig
from meterway.nnap.delivery import Courier
from meterway.nnap.device import Concentrator
from meterway.nnap.driver import Driver
from meterway.nnap.events import Code
from meterway.nnap.hearing import collector_of, receptions
from meterway.nnap.image import CampaignRules, Firmware
from meterway.nnap.ledger import Ledger
from meterway.nnap.lines import NorthLines
from meterway.nnap.node import Node
from meterway.nnap.notices import Notice, Notices
from meterway.nnap.objects import LogicalSite
from meterway.nnap.orders import GroupOrders
from meterway.nnap.reports import Reporter
from meterway.nnap.site import Party, Site
from meterway.nnap.south import HubPlace
from meterway.nnap.store import Store
from meterway.nnap.wake import check_wake, greeting
from meterway.stacks.dlms.framing import ApduReceived, Role
from meterway.stacks.dlms.gateway import GatewayRequest
from meterway.stacks.dlms.security.counter import counter_at
from meterway.stacks.dlms.server import LogicalDevice
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.neighbourhood.profiles import PROFILES, Profile
from meterway.stacks.neighbourhood.station import Apdu, Coordinator
from meterway.store.party_counters import PartyCounters
from meterway.store.vault import Vault

__all__ = ["Nnap"]

_LOG: Final = logging.getLogger(__name__)
_TICK_S: Final = 1.0
_SAVE_S: Final = 60.0
_RETRY_S: Final = 5.0
_ROUTES_S: Final = 60.0

MakeStation = Callable[[bytes, Callable[[bytes], bytes | None]], Coordinator]


class _Lost:
    """The place on a network that is not there yet."""

    node = 0

    def listen(self, on_frame: object) -> None:
        """Nothing comes."""

    def send(self, octets: bytes, *, to: int, urgent: bool = False) -> None:
        """Lost."""

    def close(self) -> None:
        """Nothing to leave."""


class Nnap:
    """A concentrator. ``unix`` gives Unix seconds; ``port`` and ``station`` replace the network of the settings.

    ``topology`` knows the routes of that network: the MAC of a modem, or of a simulated medium its model.

    ``start`` raises ConfigError for what the settings have wrong or a port that is taken; ``stop`` writes everything.
    """

    def __init__(
        self,
        config: NnapConfig,
        *,
        unix: Callable[[], float] = time.time,
        port: NodePort | None = None,
        station: MakeStation | None = None,
        clock: NodeClock | None = None,
        topology: Topology | None = None,
    ) -> None:
        self.config = config
        self.unix = unix
        self.port = 0
        """Where the head end is served."""
        self.wake_port = 0
        self.store = Store(config.store)
        self.ledger = Ledger(self.store, Vault.from_file(Path(config.master_key)), keep_days=config.keep_days)
        self.ledger.restore()
        profile = _profile(config.network) if config.network is not None else next(iter(PROFILES.values()))
        made = (station or profile.coordinator)(config.own_eui, self.ledger.roll.admit)
        counter = self.ledger.send_counter(at_least=counter_at(unix()))
        self.device = Concentrator(
            self.ledger.roll, made, self.ledger, title=config.title, rules=config.rules(), counter=counter
        )
        self.device.on_notification = self._notified
        self.orders = GroupOrders(made, self.store)
        self.orders.on_order = self._ordered
        self.device.workers.append(self.orders)
        self.site = Site(
            serial=config.serial,
            flag=config.flag,
            ledger=self.ledger,
            concentrator=self.device,
            orders=self.orders,
            parties=tuple(party.party() for party in config.parties),
            firmware=config.firmware,
            clock_offset_s=self.ledger.clock_offset_s,
            begin_firmware=self._begin_firmware,
            cascades=self._cascades,
        )
        self.collector = self.site.collector = collector_of(config, self.site, self.ledger.vault, self.now)
        self.alarming = Alarming(
            self.store,
            self.device,
            config.alarms.rules(),
            now=unix() + self.ledger.clock_offset_s,
            reports=config.report is not None,
            pushes=bool(config.alarms.push_port),
        )
        self.site.alarms = self.alarming.watch.alarms
        self.counters = PartyCounters(self.store, self.site, unix)
        self.broadcaster: Broadcaster | None = None
        if config.broadcast is not None:
            self.broadcaster = Broadcaster(
                title=config.title,
                keys=config.broadcast.keys,
                counter=self.ledger.send_counter("broadcast", at_least=int(unix())),
                client=config.broadcast.client,
            )
        rules = config.broadcast.rules() if config.broadcast is not None else CampaignRules()
        self.campaigns = Campaigns(self.device, self.ledger, self.store, self.broadcaster, rules)
        self.courier: Courier | None = None
        self.children: dict[bytes, ChildLink] = {}
        """The concentrators below that are reached over TCP, by EUI."""
        for one in config.children:
            self._add_child(bytes.fromhex(one.eui), one)
        self.driver: Driver | None = None
        self.uplink: Uplink | None = None
        self._given_port = port
        self._clock = clock
        self._reporter: Reporter | None = None
        self._topology = topology
        self._hubs: list[HubPlace] = []
        self._listener: tcp.Listener | None = None
        self._wakes: UdpEndpoint | None = None
        self._notices = Notices(self.store)
        self._lines = NorthLines(
            config.wan, self.site, self._notices, device_of=self._device, carry=self.carry, now=self.now
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._saved_s = self._routed_s = self._watched_s = self._reported_s = self._set_s = 0.0
        self._called_s = self._in_vain_s = 0.0
        self._calling = self._stopped = False

    def now(self) -> float:
        """Unix seconds as the concentrator's clock has them."""
        return self.unix() + self.site.clock_offset_s

    # -- life -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """List the nodes of the settings, join the medium, open every port, begin to read."""
        config = self.config
        self._clock = self._clock or LoopClock(self.now)
        self.device.log(self.now(), Code.STARTED, detail=config.firmware)
        for one in config.nodes:
            if bytes.fromhex(one.eui) not in self.ledger.roll.nodes:
                self.ledger.enlist_all([one.node(self.ledger.roll.free_channel())], self.device, self.now())
        self.campaigns.resume(self.now())
        self.orders.restore(self.now())
        if self.collector is not None:
            self.collector.restore(config.battery_meters)
        try:
            self.driver = Driver(self.device, self._given_port or self._join(config.network), self._clock)
            self.driver.start()
            if config.uplink is not None:
                self._join_above(config.uplink, config.uplink.key)
            self._listener = await tcp.listen(config.wan.host, config.wan.port, self._lines.accept)
            self.port = self._listener.port
            if config.wake is not None and config.wake.listen_port:
                self._wakes = await listen_udp(config.wake.listen_host, config.wake.listen_port, self._woken)
                self.wake_port = self._wakes.address[1]
        except MeterwayError:
            await self.stop()
            raise
        if config.report is not None:
            report = config.report
            self._reporter = Reporter(self.site, form=report.form, compression=report.compression, rows=report.rows)
            self.courier = Courier(report, self.store, config.serial)
            self.courier.on_refused = lambda name, reason: self.device.log(
                self.now(), Code.REPORT_REFUSED, detail=reason
            )
            self._begin("reports", self.courier.run())
        self._begin("the balance", self._balance())
        if config.alarms.push_port:
            alarms = config.alarms
            pusher = AlarmPusher(alarms.push_host, alarms.push_port, alarms.party, self.site, self.counters, self.now)
            self.alarming.on_push = pusher.wake
            self._begin("the push of alarms", pusher.run())
        for eui, child in self.children.items():
            self._begin("the line to a child", self._stay_with(eui, child))
        if self.collector is not None:
            for name, work in receptions(config, self.collector, self.unix):
                self._begin(name, work)
        self._begin("the clock", self._run())

    def _begin(self, name: str, work: Coroutine[None, None, None]) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                _LOG.error("%s ended", name, exc_info=error)

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        self._tasks.append(task)

    async def stop(self) -> None:
        """Close everything; what is in memory is written. Once; again does nothing."""
        if self._stopped:
            return
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.driver is not None:
            self.driver.close()
        if self.uplink is not None:
            self.uplink.close()
        for hub in self._hubs:
            hub.close()
        for child in self.children.values():
            child.close()
        if self._listener is not None:
            self._listener.close()
        if self._wakes is not None:
            self._wakes.close()
        self._lines.abort()
        if self.collector is not None:
            self.collector.close()
        await asyncio.sleep(0)  # what was on them may have to wait again
        self.device.log(self.now(), Code.STOPPED)
        self.save()
        self.store.close()
        await asyncio.sleep(0)

    def save(self) -> None:
        """Write how everything stands."""
        self.counters.save()
        self._notices.save()
        self.ledger.flush(self.device)
        self.ledger.save(self.now())

    async def _run(self) -> None:
        while True:
            try:
                self.tick()
            except MeterwayError as error:
                _LOG.error("%s", error)
            except Exception:  # one turn is lost, not all that follow: nothing would be kept or reported any more
                _LOG.exception("a turn of the clock failed")
            self._lines.cut_idle(asyncio.get_running_loop().time())
            await asyncio.sleep(_TICK_S)

    async def _balance(self) -> None:
        """Judge the days that are due, a meter at a time: reading goes on between."""
        settings = self.config.balance
        balancer = Balancer(
            self.ledger, settings.rules(), self.alarming.set_balance, left_out=frozenset(settings.leave_out)
        )
        while True:
            try:
                for day in balancer.due(self.now()) if balancer.has_supervision else ():
                    for _ in balancer.judge(day, self.now()):
                        await asyncio.sleep(0)
            except MeterwayError as error:
                _LOG.error("balance: %s", error)
            await asyncio.sleep(settings.every_s)

    def tick(self) -> None:
        """What is due now: events to the disk, reports, clocks by broadcast, calls."""
        now = self.now()
        self.counters.save()
        if self.collector is not None:
            self.collector.tick(now)
        self._notices.save()
        self.ledger.flush(self.device)
        if now - self._saved_s >= _SAVE_S:
            self._saved_s = now
            self.ledger.save(now)
        if now - self._routed_s >= _ROUTES_S:
            self._routed_s = now
            self._routes_changed()
        if now - self._watched_s >= self.config.alarms.look_s:
            self._watched_s = now
            self.alarming.turn(now)
        self._report(now)
        self._set_clocks(now)
        for child in self.children.values():
            child.expire()
        wake = self.config.wake
        if wake is not None and (self._notices or (wake.every_s and now - self._called_s >= wake.every_s)):
            self._call_unless_in_vain(wake, now)
        self.campaigns.settle()

    # -- southbound -------------------------------------------------------------------------------------------

    def _join(self, network: NetworkConfig | None) -> NodePort:
        if network is None:
            return _Lost()
        hub = HubPlace(network)
        hub.on_change = self._hub_changed
        hub.on_routes = self._routes_changed
        self._topology = self._topology or hub
        self._hubs.append(hub)
        hub.open()
        return hub

    def _hub_changed(self, there: bool) -> None:
        self.device.log(self.now(), Code.NETWORK_BACK if there else Code.NETWORK_LOST)

    def _routes_changed(self) -> None:
        """What is known of the routes goes to the nodes."""
        if self._topology is not None:
            self.device.take_routes(self._topology.routes())

    def _join_above(self, network: NetworkConfig, key: str) -> None:
        port = HubPlace(network)
        self._hubs.append(port)
        port.open()
        station = _profile(network).node(self.config.own_eui, bytes.fromhex(key))
        self.attach_uplink(Uplink(station, port, self._the_clock, self._device, self.carry))

    def attach_uplink(self, uplink: Uplink) -> None:
        """Be a node of the network of a concentrator above."""
        self.uplink = uplink
        uplink.start()

    @property
    def _the_clock(self) -> NodeClock:
        return self._clock or LoopClock(self.now)

    def _set_clocks(self, now: float) -> None:
        """All clocks by one broadcast; the way there takes about half of what a short question and its answer do."""
        settings = self.config.broadcast
        if settings is None or self.broadcaster is None or not settings.clock_every_s or self.driver is None:
            return
        if now - self._set_s < settings.clock_every_s or not self.device.station.members:
            return
        self._set_s = now
        sender = self.broadcaster
        trips = [node.half_trip_s for node in self.ledger.roll if node.member is not None and node.half_trip_s]
        delay_s = sum(trips) / len(trips) if trips else 0.0
        self.driver.call(lambda device, at: sender.send(device.station, time_request(sender, at, delay_s), at))

    # -- firmware of the meters -------------------------------------------------------------------------------

    def _begin_firmware(self, firmware: Firmware, now: float) -> bool:
        if not self.campaigns.begin(firmware, now):
            return False
        self._poke()
        return True

    def _ordered(self, apdu: bytes, now: float) -> None:
        if self.broadcaster is not None:
            self.broadcaster.follow(apdu, now)
        self._poke()

    def _poke(self) -> None:
        """A worker may want its turn earlier than it did."""
        if self.driver is not None:
            self.driver.call(lambda device, now: None)

    # -- northbound -------------------------------------------------------------------------------------------

    def _device(self, sap: int) -> LogicalDevice | None:
        """The logical device at an address: 1 is the concentrator, the others are meters that it reads or hears."""
        if self.collector is not None and sap > HEARD_SAP:
            return self.collector.logical(sap)
        channel = sap - 1
        node = self.ledger.roll.channels.get(channel)
        if channel and (node is None or not node.is_read or not self.device.reads):
            return None
        return LogicalSite(self.site, channel, counters=self.counters, unix=self.unix)

    def carry(self, request: GatewayRequest, answer: Callable[[bytes | None, float], None], now: float) -> None:
        """Bring an APDU to a node, or to the concentrator that its prefix names; LocalProtocolError if it cannot be."""
        address = request.device.address
        child = self.children.get(address)
        if child is not None:
            child.carry(request.apdu, client=request.client, server=request.server, answer=answer)
            return
        node = self.ledger.roll.nodes.get(address) or self.ledger.roll.by_serial(address.decode("ascii", "replace"))
        if node is None or self.driver is None:
            raise LocalProtocolError(f"{address.hex()} is not behind this concentrator")
        self.driver.call(
            lambda device, at: device.carry(
                node.eui, request.apdu, client=request.client, server=request.server, now=at, answer=answer
            )
        )

    def _add_child(self, eui: bytes, settings: ChildConfig) -> None:
        child = self.children[eui] = ChildLink(settings.host, settings.port, self.now)
        child.on_notification = lambda event: self._child_said(eui, event)

    def _cascades(self) -> tuple[NodeRow, ...]:
        """The rows of the node table for the concentrators below."""
        return tuple(cascade_row(one, self.children[bytes.fromhex(one.eui)]) for one in self.config.children)

    def _child_said(self, eui: bytes, event: ApduReceived) -> None:
        """What a concentrator below says by itself goes on like what a meter does."""
        self._say(Notice(eui, event.apdu, event.client, event.server))

    async def _stay_with(self, eui: bytes, child: ChildLink) -> None:
        """Keep the line to a concentrator below."""
        told = True
        while True:
            if not child.connected:
                try:
                    await child.connect()
                    self.device.log(self.now(), Code.CHILD_BACK, detail=eui.hex())
                    told = False
                except LinkError as error:
                    if not told:
                        self.device.log(self.now(), Code.CHILD_LOST, detail=str(error))
                    told = True
            await asyncio.sleep(_RETRY_S)

    # -- reports and calls ------------------------------------------------------------------------------------

    def _report(self, now: float) -> None:
        report = self.config.report
        if report is None or self._reporter is None or now - self._reported_s < report.every_s:
            return
        self._reported_s = now
        while self._reporter.build(now):
            if self.courier is not None:
                self.courier.wake()

    def _woken(self, endpoint: UdpEndpoint, datagram: bytes, sender: object) -> None:
        wake = self.config.wake
        party = None if wake is None else self._party(wake)
        if wake is None or party is None:
            return
        try:
            check_wake(datagram, self.site, party, self.counters, now=self.now(), valid_s=wake.valid_s)
        except SecurityError as error:
            code = Code.REPLAY if error.check == "counter" else Code.ACCESS_DENIED
            self.device.log(self.now(), code, detail=f"wake-up: {error.check}")
        except MeterwayError:
            return
        else:
            self.device.log(self.now(), Code.WAKE_UP, detail=f"by {party.name}")
            self.call_home(wake)

    def _call_unless_in_vain(self, wake: WakeConfig, now: float) -> None:
        """Call, unless nobody was there a moment ago."""
        if now - self._in_vain_s >= wake.retry_s:
            self._called_s = now
            self.call_home(wake)

    def _party(self, wake: WakeConfig) -> Party | None:
        return next((one for one in self.site.parties if one.name == wake.party), None)

    def call_home(self, wake: WakeConfig) -> None:
        """Open a line to the head end; one at a time."""
        if not self._calling:
            self._calling = True
            task = asyncio.get_running_loop().create_task(self._call(wake))
            self._tasks.append(task)
            task.add_done_callback(self._called)

    def _called(self, task: asyncio.Task[None]) -> None:
        self._calling = False
        if task in self._tasks:
            self._tasks.remove(task)

    async def _call(self, wake: WakeConfig) -> None:
        party = self._party(wake)
        if party is None:
            return
        framing = WrapperFraming(party.client, 1, role=Role.SERVER)
        protocol, line = self._lines.called(framing)
        try:
            await tcp.connect(wake.host, wake.port, lambda: protocol)
        except LinkError as error:
            self._lines.forget(protocol)
            if not self._in_vain_s:
                _LOG.warning("calling the head end: %s", error)
            self._in_vain_s = self.now()
            return
        self._in_vain_s = 0.0
        framing.reply(greeting(self.site, party, self.counters, now=self.now()), client=party.client, server=1)
        protocol.flush()
        line.greeted()

    def _notified(self, node: Node, event: Apdu, now: float) -> None:
        self._say(Notice(node.eui, event.apdu, event.client, event.server))

    def _say(self, notice: Notice) -> None:
        """To who is there to hear it; if nobody is, the head end is called."""
        if not self._lines.say(notice) and self.config.wake is not None:
            self._call_unless_in_vain(self.config.wake, self.now())


def _profile(network: NetworkConfig) -> Profile:
    """The profile of a network, as fast as its medium."""
    return PROFILES[network.profile].hastened(network.time_factor)
