"""Load controllers on a neighbourhood network (H3): DLMS through a station of any profile, and broadcasts.

A controller's EUI is its system title. The same code runs on a virtual clock and in real time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from meterway.base.errors import ConfigError
from meterway.home.config import HomeConfig
from meterway.home.device import LoadController
from meterway.home.memory import HomeMemory
from meterway.home.objects import LogicalHome
from meterway.interfaces.device_node import DeviceNode
from meterway.links.node import Call, NodeClock, NodePort
from meterway.stacks.dlms.server import BroadcastServer, DlmsServer
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu, Joined, Left, Station, StationEvent

__all__ = ["HomeNode", "HomeNodes"]

_SERVER: Final = 1


class HomeNode(DeviceNode):
    """One controller on its node; off the network its loads go on as ordered."""

    __slots__ = ("_host", "device")

    def __init__(self, host: HomeNodes, device: LoadController, join: Callable[[], NodePort]) -> None:
        super().__init__(join)
        self.device = device
        self._host = host

    @property
    def _clock(self) -> NodeClock:
        return self._host.clock

    def _new_station(self) -> Station:
        return self._host.station(self.device.title)

    def _new_server(self, framing: StationFraming) -> DlmsServer:
        return DlmsServer(framing, self.device_of)

    def _on_event(self, event: StationEvent) -> None:
        match event:
            case Apdu():
                self._take(event)
                self._host.plan(self.device)
            case Joined():
                self.is_member = True
            case Left():
                self.is_member, self._servers = False, None
            case _:
                pass

    def _take(self, event: Apdu) -> None:
        now = self._host.clock.now()
        if event.is_broadcast:
            done = BroadcastServer(self.device_of).take(event.apdu, client=event.client, server=event.server, now=now)
            self._host.counts["broadcasts" if done else "broadcasts not done"] += 1
            return
        self._host.counts["requests"] += 1
        self._answer(event, now)

    def device_of(self, server: int) -> LogicalHome | None:
        """The logical device of a server address."""
        station = self.station
        if server != _SERVER or station is None:
            return None
        return LogicalHome(self.device, self._host.memory, max_pdu=min(station.max_apdu, 0xFFFF))


class HomeNodes:
    """Any number of controllers, each switching at its time, on one clock; those that are ``placed`` on a network too.

    ``station`` makes the station of a device by its EUI. ``counts`` says what came: ``requests``, ``broadcasts``,
    ``broadcasts not done``.
    """

    def __init__(
        self, clock: NodeClock, station: Callable[[bytes], Station], *, memory: HomeMemory | None = None
    ) -> None:
        self.clock = clock
        self.station = station
        self.memory = memory or HomeMemory(clock.now)
        self.devices: dict[str, LoadController] = {}
        self.nodes: dict[str, HomeNode] = {}
        self.counts: Counter[str] = Counter()
        self._calls: dict[str, Call] = {}

    def add(self, config: HomeConfig, *, lived_s: float = 0.0) -> LoadController:
        """Take a device in that has been in its home for ``lived_s``; ConfigError if its serial is there already."""
        if config.serial in self.devices:
            raise ConfigError(f"device {config.serial} is there already")
        device = LoadController(config, self.clock.now() - lived_s)
        self.memory.add(device)
        self.devices[config.serial] = device
        self.plan(device)
        return device

    def place(self, serial: str, join: Callable[[], NodePort], *, enters: bool = True) -> HomeNode:
        """Put a device on its node; ``join`` gives its place, each time that it comes back."""
        node = self.nodes[serial] = HomeNode(self, self.devices[serial], join)
        if enters:
            node.enter()
        return node

    def close(self) -> None:
        """Take every device off its network, and keep what is to be kept."""
        for call in self._calls.values():
            call.cancel()
        self._calls.clear()
        for node in self.nodes.values():
            node.leave()
        self.memory.save()

    def plan(self, device: LoadController) -> None:
        """Look again when a device wants to be called; whoever did something to it says so here."""
        serial = device.config.serial
        if serial in self._calls:
            self._calls[serial].cancel()
        due = device.next_due(self.clock.now())
        self._calls[serial] = self.clock.call_at(due, lambda: self._live(device))

    def _live(self, device: LoadController) -> None:
        device.advance(self.clock.now())
        self.plan(device)
