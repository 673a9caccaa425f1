"""Meters on the network: DLMS over TCP, HDLC on TCP or UDP, the consumer port, pushes. No task for a meter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from meterway.base.errors import ConfigError, DecodeError
from meterway.base.obis import Obis
from meterway.links import tcp, udp
from meterway.links.clocks import LoopClock
from meterway.links.limits import raise_file_limit
from meterway.links.pump import EngineProtocol
from meterway.links.udp import Address, UdpEndpoint
from meterway.meter.config import H1Config, HostConfig, ListenConfig
from meterway.meter.consumer import p1_telegram
from meterway.meter.counters import ClockCounters, FileCounters
from meterway.meter.device import ALARM_PUSH, Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.faults import CutLine, Fault, FaultyServer
from meterway.meter.network import MeterNetwork
from meterway.meter.nodes import Beyond
from meterway.meter.objects import LogicalMeter, model_of, needs_watching, watch
from meterway.meter.pushes import Pusher
from meterway.meter.stations import HdlcStations
from meterway.stacks.dlms.framing import Connected, Disconnected, Framing, FramingEvent, Role
from meterway.stacks.dlms.hdlc import HdlcAddress, HdlcFraming
from meterway.stacks.dlms.server import DlmsServer, LogicalDevice
from meterway.stacks.dlms.wrapper import WrapperFraming, decode_datagram

__all__ = ["HDLC_PHYSICAL", "Beyond", "Endpoint", "MeterHost"]

_SAP: Final = 1
HDLC_PHYSICAL: Final = 17
"""The physical address of every meter on its HDLC line."""
_MAX_PEERS: Final = 4096
_SLOW_READER: Final = 65536
_SPARE_FILES: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """How a meter is reached: ``server`` is its wrapper port or HDLC upper address."""

    serial: str
    transport: str
    address: str
    port: int
    server: int = _SAP
    is_local: bool = False


class _Line:
    """One client's connection to one meter (or, with wrapper ports, to any)."""

    __slots__ = ("_host", "_serial", "is_local", "protocol")

    def __init__(self, host: MeterHost, serial: str, *, is_local: bool) -> None:
        self._host = host
        self._serial = serial
        self.is_local = is_local
        self.protocol: EngineProtocol[FramingEvent] | None = None

    def made(self, protocol: EngineProtocol[FramingEvent]) -> None:
        self.protocol = protocol
        self._host.lines.setdefault(self._serial, set()).add(self)
        if self._host.is_dark(self._serial) or (not self.is_local and self._host.is_cut_off(self._serial)):
            protocol.abort()

    def event(self, event: FramingEvent) -> None:
        if self.is_local and isinstance(event, Connected):
            self._host.noticed_locally(self._serial)
        broken = isinstance(event, Disconnected) and event.error is not None
        if self.protocol is not None and (broken or isinstance(event, CutLine)):
            self.protocol.close()

    def lost(self, error: Exception | None) -> None:
        kept = self._host.lines.get(self._serial)
        if kept is not None:
            kept.discard(self)
            if not kept:
                del self._host.lines[self._serial]


class _Display(asyncio.Protocol):
    """A consumer display that listens; what it says is not heard."""

    __slots__ = ("_group", "_transport")

    def __init__(self, group: set[_Display]) -> None:
        self._group = group
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports are no subclass
        self._group.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._group.discard(self)

    def show(self, telegram: bytes) -> None:
        """Send, unless this display does not keep up."""
        if self._transport is not None and self._transport.get_write_buffer_size() < _SLOW_READER:
            self._transport.write(telegram)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _hdlc(own: HdlcAddress) -> HdlcFraming:
    return HdlcFraming(role=Role.SERVER, server=own, max_info_tx=2030, max_info_rx=2030, window_tx=7, window_rx=7)


class MeterHost:
    """All meters of one process. ``unix`` turns the loop's time into Unix seconds (default: the real time).

    ``beyond`` gives the other logical devices (those of a gateway that lives in it) of a meter that has its wrapper
    port for itself or is a node of a network. ``start`` raises ConfigError for a port that is taken; ``stop`` saves
    counters and lets go of everything.
    """

    def __init__(
        self, config: HostConfig, *, unix: Callable[[float], float] | None = None, beyond: Beyond | None = None
    ) -> None:
        self.config = config
        self._beyond: Beyond = beyond or (lambda serial, sap: None)
        self.unix = unix or (lambda _: time.time())
        self.counters: FileCounters | ClockCounters = ClockCounters(lambda: self.unix(self._loop_time()))
        self.meters: dict[str, Meter] = {}
        self.endpoints: list[Endpoint] = []
        self.h1_ports: dict[str, int] = {}
        self.faults: dict[str, Fault] = {}
        self.lines: dict[str, set[_Line]] = {}
        self.pusher: Pusher | None = None
        self.network: MeterNetwork | None = None
        self._listeners: list[tcp.Listener] = []
        self._udp: list[UdpEndpoint] = []
        self._displays: dict[str, set[_Display]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._by_server: list[Meter] = []
        self._cut_off: set[str] = set()

    @staticmethod
    def _loop_time() -> float:
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return 0.0

    def now(self) -> float:
        """Unix seconds."""
        return self.unix(self._loop_time())

    # -- life ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Make the meters and open every port."""
        if self.config.counters is not None:
            self.counters = FileCounters(self.config.counters, self.now)
        if self.config.push is not None:
            self.pusher = Pusher(self.config.push, self.counters, self.unix)
        if self.config.network is not None:
            self.network = MeterNetwork(self.config.network, LoopClock(self.now), self.counters, beyond=self._beyond)
        for settings in self.config.meters:
            self._add(Meter(settings))
        self._by_server = list(self.meters.values())
        raise_file_limit(2 * len(self.meters) * len(self.config.listen) + _SPARE_FILES)
        try:
            for listen in self.config.listen:
                await self._open(listen)
            if self.config.h1 is not None:
                await self._open_h1(self.config.h1)
        except ConfigError:
            await self.stop()
            raise
        if self.network is not None:
            self.network.open()
        self._every("watch", 1.0, self._watch)
        self._every("save", 10.0, self._save)

    def _add(self, meter: Meter) -> None:
        model_of(meter.config.country)  # a profile that no meter can be is refused before any port opens
        self.meters[meter.serial] = meter
        if isinstance(self.counters, FileCounters):
            self.counters.restore(meter)
            if meter.is_dark:  # it said its last gasp when its process ended; now it has its supply again
                meter.restore_supply(self.now())
            meter.on_keys = self.counters.keys_changed
        if self.pusher is not None:
            meter.on_push = self._push
        if self.network is not None:
            self.network.add(meter)

    async def stop(self, *, last_gasp: bool = False) -> None:
        """Close everything; with ``last_gasp`` every meter first says that it loses its supply."""
        if last_gasp:
            for serial in self.meters:
                self.cut_supply(serial)
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if self.pusher is not None:
            await self.pusher.drain(5.0 if last_gasp else 0.0)
        if self.network is not None:
            await self.network.close(last_gasp=last_gasp)
        for listener in self._listeners:
            listener.close()
        for endpoint in self._udp:
            endpoint.close()
        for serial in tuple(self.lines):
            self._drop_lines(serial)
        for group in self._displays.values():
            for display in tuple(group):
                display.close()
        self._save()
        if isinstance(self.counters, FileCounters):
            self.counters.close()
        await asyncio.sleep(0)

    def _every(self, name: str, period_s: float, work: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()

        def run() -> None:
            self._timers[name] = loop.call_later(period_s, run)
            work()

        self._timers[name] = loop.call_later(period_s, run)

    def _watch(self) -> None:
        now = self.now()
        for meter in self.meters.values():
            if meter.changed is not None and needs_watching(meter):
                watch(meter, now)

    def _save(self) -> None:
        if isinstance(self.counters, FileCounters):
            for meter in self.meters.values():
                self.counters.save_state(meter)
                if meter.received is not None:
                    self.counters.save_received(meter)

    # -- DLMS ----------------------------------------------------------------------------------------

    async def _open(self, listen: ListenConfig) -> None:
        if listen.sharing == "wrapper-ports":
            await self._open_port(listen, listen.port, None)
            return
        for number, meter in enumerate(self.meters.values()):
            port = listen.port + number if listen.port else 0
            if port > 65535:
                raise ConfigError(f"listen: {len(self.meters)} meters do not fit the ports from {listen.port} on")
            await self._open_port(listen, port, meter)

    async def _open_port(self, listen: ListenConfig, port: int, meter: Meter | None) -> None:
        if listen.transport == "udp":
            endpoint = await udp.listen_udp(listen.address, port, self._datagrams(meter))
            self._udp.append(endpoint)
            bound = endpoint.address[1]
        else:
            factory = self._factory(listen, meter)
            listener = await tcp.listen(listen.address, port, factory)
            self._listeners.append(listener)
            bound = listener.port
        listed = [(_SAP, meter)] if meter is not None else list(enumerate(self._by_server, 1))
        self.endpoints += [
            Endpoint(
                serial=found.serial,
                transport=listen.transport,
                address=listen.address,
                port=bound,
                server=server,
                is_local=listen.is_local,
            )
            for server, found in listed
        ]

    def _factory(self, listen: ListenConfig, meter: Meter | None) -> Callable[[], asyncio.BaseProtocol]:
        serial = "" if meter is None else meter.serial
        find = self._finder(meter, is_local=listen.is_local)

        def station(address: HdlcAddress) -> DlmsServer | None:
            if address.to_all or find(address.logical) is None:
                return None
            own = HdlcAddress(logical=address.logical, physical=HDLC_PHYSICAL, size=max(address.size, 2))
            return self._engine(_hdlc(own), find, self._by_server[address.logical - 1].serial)

        def make() -> asyncio.BaseProtocol:
            line = _Line(self, serial, is_local=listen.is_local)
            engine: DlmsServer | HdlcStations
            if listen.transport != "hdlc":
                engine = self._engine(WrapperFraming(0, 0, role=Role.SERVER), find, serial)
            elif meter is None:
                engine = HdlcStations(station)
            else:
                own = HdlcAddress(logical=_SAP, physical=HDLC_PHYSICAL, size=2)
                engine = self._engine(_hdlc(own), find, serial)
            protocol: EngineProtocol[FramingEvent] = EngineProtocol(
                engine, line.event, on_made=line.made, on_lost=line.lost
            )
            return protocol

        return make

    def _engine(self, framing: Framing, find: Callable[[int], LogicalDevice | None], serial: str) -> DlmsServer:
        fault = self.faults.get(serial)
        return DlmsServer(framing, find) if fault is None else FaultyServer(framing, find, fault)

    def _finder(self, meter: Meter | None, *, is_local: bool) -> Callable[[int], LogicalDevice | None]:
        def one(server: int) -> LogicalDevice | None:
            if meter is None or not self._reached(meter, is_local=is_local):
                return None
            if server != _SAP:
                return self._beyond(meter.serial, server)
            return LogicalMeter(meter, self.counters, self.unix)

        def any_of(server: int) -> LogicalDevice | None:
            if not 1 <= server <= len(self._by_server):
                return None
            found = self._by_server[server - 1]
            return LogicalMeter(found, self.counters, self.unix) if self._reached(found, is_local=is_local) else None

        return any_of if meter is None else one

    def _reached(self, meter: Meter, *, is_local: bool) -> bool:
        return not meter.is_dark and (is_local or not self.is_cut_off(meter.serial))

    def _datagrams(self, meter: Meter | None) -> Callable[[UdpEndpoint, bytes, Address], None]:
        serial = "" if meter is None else meter.serial
        find = self._finder(meter, is_local=False)
        peers: dict[Address, DlmsServer] = {}

        def received(endpoint: UdpEndpoint, octets: bytes, sender: Address) -> None:
            try:
                decode_datagram(octets)
            except DecodeError:
                return
            engine = peers.pop(sender, None) or self._engine(WrapperFraming(0, 0, role=Role.SERVER), find, serial)
            if len(peers) >= _MAX_PEERS:
                del peers[next(iter(peers))]
            peers[sender] = engine
            engine.receive_data(octets, self._loop_time())
            while engine.next_event() is not None:
                continue
            answer = engine.data_to_send()
            if answer:
                endpoint.send(answer, sender)

        return received

    # -- consumer port -------------------------------------------------------------------------------

    async def _open_h1(self, h1: H1Config) -> None:
        for number, serial in enumerate(list(self.meters)[: h1.meters]):
            group = self._displays.setdefault(serial, set())
            port = h1.port + number if h1.port else 0
            listener = await tcp.listen(h1.address, port, self._display_factory(group))
            self._listeners.append(listener)
            self.h1_ports[serial] = listener.port
        self._every("h1", h1.period_s, self._show)

    @staticmethod
    def _display_factory(group: set[_Display]) -> Callable[[], asyncio.BaseProtocol]:
        return lambda: _Display(group)

    def _show(self) -> None:
        if self.config.h1 is None:
            return
        now = self.now()
        for serial, group in self._displays.items():
            if group and not self.is_dark(serial):
                telegram = p1_telegram(self.meters[serial], self.config.h1.dialect, now)
                for display in tuple(group):
                    display.show(telegram)

    # -- what happens to meters ----------------------------------------------------------------------

    def is_dark(self, serial: str) -> bool:
        """Whether a meter has no supply."""
        meter = self.meters.get(serial)
        return meter is not None and meter.is_dark

    def is_cut_off(self, serial: str) -> bool:
        """Whether a meter's line to the head end is down."""
        return serial in self._cut_off

    def cut_line(self, serial: str) -> None:
        """A meter loses its line to the head end, for calls and for pushes; its local port stays."""
        if serial not in self._cut_off:
            self._cut_off.add(serial)
            self.meters[serial].log(self.now(), Log.COMMUNICATION, EventCode.CONTEXT_DESTROYED)
            self._drop_lines(serial, local_too=False)

    def restore_line(self, serial: str) -> None:
        """The line is back."""
        if serial in self._cut_off:
            self._cut_off.discard(serial)
            self.meters[serial].log(self.now(), Log.COMMUNICATION, EventCode.CONTEXT_ESTABLISHED)

    def noticed_locally(self, serial: str) -> None:
        """Somebody connected at a meter's local port."""
        meter = self.meters.get(serial)
        if meter is not None:
            meter.log(self.now(), Log.COMMUNICATION, EventCode.LOCAL_COMMUNICATION)

    def _push(self, meter: Meter, obis: Obis, now: float) -> None:
        if self.pusher is not None and not self.is_cut_off(meter.serial):
            self.pusher.push(meter, obis, now)

    def cut_supply(self, serial: str) -> None:
        """A meter loses its supply: a last push, then silence."""
        meter, now = self.meters[serial], self.now()
        meter.cut_supply(now)
        if meter.on_push is not None and not meter.alarm_filter >> 16 & 1:
            meter.on_push(meter, ALARM_PUSH, now)
        self._drop_lines(serial)
        if self.network is not None:
            self.network.nodes.darken(serial)

    def restore_supply(self, serial: str) -> None:
        """The supply is back."""
        self.meters[serial].restore_supply(self.now())
        if self.network is not None and self.network.connected:
            self.network.nodes.nodes[serial].enter()

    def _drop_lines(self, serial: str, *, local_too: bool = True) -> None:
        for line in tuple(self.lines.get(serial, ())):
            if line.protocol is not None and (local_too or not line.is_local):
                line.protocol.abort()
