"""Electricity meters on a neighbourhood network: DLMS through a station of any profile, broadcasts, pushes, last gasps.

A meter's EUI is its system title. The same code runs on a virtual clock and in real time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from meterway.base.errors import ConfigError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.interfaces.device_node import DeviceNode
from meterway.links.node import Call, NodeClock, NodePort
from meterway.meter.config import MeterConfig
from meterway.meter.counters import ClockCounters, FileCounters
from meterway.meter.device import ALARM_PUSH, Meter
from meterway.meter.faults import Fault, FaultyServer
from meterway.meter.objects import LogicalMeter, model_of, needs_watching, watch
from meterway.meter.pushes import protected_push
from meterway.stacks.dlms.server import BroadcastServer, DlmsServer, LogicalDevice
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu, Joined, Left, Station, StationEvent, Undelivered

__all__ = ["Beyond", "MeterNode", "MeterNodes", "NodeSettings"]

Beyond = Callable[[str, int], LogicalDevice | None]
"""Gives, by a meter's serial and a logical device address, what else is housed in the meter; None if nothing is."""
_CLIENT, _SERVER = 1, 1
_MOST_SENT: Final = 3
_SUPPLY_BIT: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """How meters behave as nodes.

    ``hold_s`` is how long one goes on after its supply has gone, to say its last gasp; with 0 it says nothing.
    ``watch_s`` is how often it looks whether something scheduled is due (0: its host does). A push that was not
    delivered is tried again ``push_retries`` times, ``push_retry_s`` apart.
    """

    hold_s: float = 5.0
    watch_s: float = 60.0
    push_retries: int = 3
    push_retry_s: float = 60.0


class MeterNode(DeviceNode):
    """One meter on its node."""

    __slots__ = ("_host", "_peer", "_pushes", "_sent", "meter")

    def __init__(self, host: MeterNodes, meter: Meter, join: Callable[[], NodePort]) -> None:
        super().__init__(join)
        self.meter = meter
        self._host = host
        self._peer = b""
        self._pushes: dict[Obis, int] | None = None
        self._sent: dict[int, tuple[Obis, int]] | None = None

    @property
    def _clock(self) -> NodeClock:
        return self._host.clock

    def _new_station(self) -> Station:
        return self._host.station(self.meter.title)

    def _new_server(self, framing: StationFraming) -> DlmsServer:
        return self._host.server(self, framing)

    def _may_enter(self) -> bool:
        return not self.meter.is_dark

    def push(self, meter: Meter, setup: Obis, now: float) -> None:
        """Say what a push setup lists to the coordinator, now or when there is one."""
        self._pushes = {**(self._pushes or {}), setup: self._host.settings.push_retries}
        self._say(now)

    def _coordinator(self) -> bytes:
        """Its EUI, as the station tells or as it was heard."""
        told = getattr(self.station, "coordinator", b"")
        return told if isinstance(told, bytes) and told else self._peer

    # -- what comes ----------------------------------------------------------------------------------

    def _on_event(self, event: StationEvent) -> None:
        match event:
            case Apdu():
                self._take(event)
            case Joined():
                self.is_member = True
                self._say(self._host.clock.now())
            case Left():
                self.is_member = False
                self._servers, self._peer = None, b""
            case Undelivered():
                self._host.counts["undelivered"] += 1
                setup, left = (self._sent or {}).pop(hash(event.apdu), (None, 0))
                if setup is not None:
                    self._again(setup, left, self._host.clock.now())

    def _take(self, event: Apdu) -> None:
        now = self._host.clock.now()
        if self.meter.is_dark:
            return
        if event.is_broadcast:
            done = BroadcastServer(self.own).take(event.apdu, client=event.client, server=event.server, now=now)
            self._host.counts["broadcasts" if done else "broadcasts not done"] += 1
            return
        if event.eui != self._peer:
            self._peer = event.eui
            self._say(now)
        self._host.counts["requests"] += 1
        if self._host.faults.get(self.meter.serial) is Fault.HANG:
            return
        self._answer(event, now)

    def device_of(self, server: int) -> LogicalDevice | None:
        """The logical device of a server address: the meter itself, or what else is housed in it."""
        if server != _SERVER and self.station is not None:
            return self._host.beyond(self.meter.serial, server)
        return self.own(server)

    def own(self, server: int) -> LogicalMeter | None:
        """The meter itself, at its own address."""
        station = self.station
        if server != _SERVER or station is None:
            return None
        return LogicalMeter(self.meter, self._host.counters, _as_it_is, max_pdu=min(station.max_apdu, 0xFFFF))

    # -- what goes -----------------------------------------------------------------------------------

    def _say(self, now: float) -> None:
        """Send what is to be pushed, if there is anyone to send it to."""
        if not self._pushes or self._stationed is None or not self.is_member:
            return
        coordinator = self._coordinator()
        if not coordinator:
            return
        waiting, self._pushes = self._pushes, None
        for setup, left in waiting.items():
            self._push(coordinator, setup, left, now)
        self._stationed.flush()

    def _push(self, coordinator: bytes, setup: Obis, left: int, now: float) -> None:
        host, stationed = self._host, self._stationed
        if stationed is None:
            return
        apdu = protected_push(self.meter, setup, host.counters, invoke=host.next_invoke(), now=now)
        try:
            stationed.station.send_apdu(
                coordinator, apdu, client=_CLIENT, server=_SERVER, now=now, urgent=setup == ALARM_PUSH
            )
        except LocalProtocolError:
            self._again(setup, left, now)
        else:
            host.counts["pushes"] += 1
            latest = list((self._sent or {}).items())[-_MOST_SENT:]
            self._sent = {**dict(latest), hash(apdu): (setup, left)}

    def _again(self, setup: Obis, left: int, now: float) -> None:
        if left <= 0:
            self._host.counts["pushes given up"] += 1
            return
        self._pushes = {**(self._pushes or {}), setup: left - 1}
        clock = self._host.clock
        clock.call_at(now + self._host.settings.push_retry_s, lambda: self._say(clock.now()))


class MeterNodes:
    """Any number of meters on nodes of neighbourhood networks, on one clock.

    ``station`` makes the station of a device by its EUI. ``counts`` says what came and went: ``requests``,
    ``pushes``, ``undelivered`` APDUs, ``broadcasts`` that were done or not. ``beyond`` gives the other
    logical devices of a meter (those of a gateway that lives in it). Without ``counters`` the meters' invocation
    counters start at the clock's seconds.
    """

    def __init__(
        self,
        clock: NodeClock,
        station: Callable[[bytes], Station],
        *,
        settings: NodeSettings | None = None,
        counters: FileCounters | ClockCounters | None = None,
        beyond: Beyond | None = None,
    ) -> None:
        self.beyond: Beyond = beyond or (lambda serial, sap: None)
        self.clock = clock
        self.station = station
        self.settings = settings or NodeSettings()
        self.counters: FileCounters | ClockCounters = counters or ClockCounters(clock.now)
        self.nodes: dict[str, MeterNode] = {}
        self.meters: dict[str, Meter] = {}
        self.faults: dict[str, Fault] = {}
        self.counts: Counter[str] = Counter()
        self._invoke = 0
        self._watching: Call | None = None

    def add(
        self, meter: MeterConfig | Meter, join: Callable[[], NodePort], *, after_s: float = 0.0, enters: bool = True
    ) -> MeterNode:
        """Put a meter on its node, ``after_s`` from now; ``join`` gives its place, each time that it comes back.

        Whoever gives a meter that is made already, or wants it not to enter yet, sees to that. ConfigError if its
        serial is there already, or no virtual meter can be what its profile says.
        """
        if isinstance(meter, MeterConfig):
            meter = self._made(meter)
        if meter.serial in self.nodes:
            raise ConfigError(f"meter {meter.serial} is there already")
        node = MeterNode(self, meter, join)
        if meter.on_push is None:
            meter.on_push = node.push
        self.nodes[meter.serial] = node
        self.meters[meter.serial] = meter
        if enters and after_s > 0.0:
            node.enter_after(after_s)
        elif enters:
            node.enter()
        if self._watching is None and self.settings.watch_s:
            self._watch()
        return node

    def _made(self, config: MeterConfig) -> Meter:
        model_of(config.country)
        meter = Meter(config)
        if isinstance(self.counters, FileCounters):
            self.counters.restore(meter)
            meter.on_keys = self.counters.keys_changed
        if meter.is_dark:  # it lost its supply when its process ended; now it has it again
            meter.restore_supply(self.clock.now())
        return meter

    def close(self) -> None:
        """Take every meter off its network and keep what is to be kept."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        for node in self.nodes.values():
            node.leave()
        self._save()

    # -- what happens to meters ----------------------------------------------------------------------

    def cut_supply(self, serial: str) -> None:
        """A meter loses its supply: a last push, then silence."""
        meter, now = self.meters[serial], self.clock.now()
        meter.cut_supply(now)
        if meter.on_push is not None and not meter.alarm_filter >> _SUPPLY_BIT & 1:
            meter.on_push(meter, ALARM_PUSH, now)
        self.darken(serial)

    def darken(self, serial: str) -> None:
        """A meter that has lost its supply holds out a little, then vanishes."""
        node = self.nodes[serial]
        if self.settings.hold_s > 0.0:
            node.leave_after(self.settings.hold_s)
        else:
            node.leave()

    def restore_supply(self, serial: str) -> None:
        """The supply is back: the meter looks for its network again."""
        self.meters[serial].restore_supply(self.clock.now())
        self.nodes[serial].enter()

    # -- for its nodes -------------------------------------------------------------------------------

    def server(self, node: MeterNode, framing: StationFraming) -> DlmsServer:
        """The engine that answers one coordinator."""
        fault = self.faults.get(node.meter.serial)
        if fault is None:
            return DlmsServer(framing, node.device_of)
        return FaultyServer(framing, node.device_of, fault)

    def next_invoke(self) -> int:
        """The number of the next push."""
        self._invoke = (self._invoke + 1) & 0xFFFFFF
        return self._invoke

    def _watch(self) -> None:
        now = self.clock.now()
        for meter in self.meters.values():
            if meter.changed is not None and not meter.is_dark and needs_watching(meter):
                watch(meter, now)
        self._save()
        self._watching = self.clock.call_at(now + self.settings.watch_s, self._watch)

    def _save(self) -> None:
        if isinstance(self.counters, FileCounters):
            for meter in self.meters.values():
                self.counters.save_state(meter)
                if meter.received is not None:
                    self.counters.save_received(meter)


def _as_it_is(now: float) -> float:
    return now
