"""Load controllers on a neighbourhood network (H3): DLMS through a station of any profile, and broadcasts.

A controller's EUI is its system title. The same code runs on a virtual clock and in real time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from meterway.base.errors import ConfigError, LocalProtocolError
from meterway.home.config import HomeConfig
from meterway.home.device import LoadController
from meterway.home.memory import HomeMemory
from meterway.home.objects import LogicalHome
from meterway.interfaces.stationed import Stationed
from meterway.links.node import Call, NodeClock, NodePort
from meterway.stacks.dlms.framing import Disconnected, Role
from meterway.stacks.dlms.server import BroadcastServer, DlmsServer
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu, Joined, Left, Station, StationEvent

__all__ = ["HomeNode", "HomeNodes"]

_SERVER: Final = 1
_MOST_PEERS: Final = 4


class HomeNode:
    """One controller on its node. Sessions are made when a coordinator first asks, one set for each."""

    def __init__(self, host: HomeNodes, device: LoadController, join: Callable[[], NodePort]) -> None:
        self.device = device
        self.is_member = False
        self._host = host
        self._join = join
        self._stationed: Stationed | None = None
        self._servers: dict[bytes, tuple[StationFraming, DlmsServer]] = {}
        self._entering: Call | None = None

    @property
    def station(self) -> Station | None:
        """Its station, or None while it is off the network."""
        return self._stationed.station if self._stationed is not None else None

    def enter(self) -> None:
        """Come onto the network and begin to join it; ConfigError if the node's number is taken."""
        self._stop_waiting()
        if self._stationed is None:
            station = self._host.station(self.device.title)
            self._stationed = Stationed(station, self._join(), self._host.clock, self._on_event)
            self._stationed.start()

    def enter_after(self, seconds: float) -> None:
        """Come a little later."""
        self._stop_waiting()
        self._entering = self._host.clock.call_at(self._host.clock.now() + seconds, self.enter)

    def leave(self) -> None:
        """Vanish from the network without a word; the loads go on as ordered."""
        self._stop_waiting()
        stationed, self._stationed = self._stationed, None
        self._servers, self.is_member = {}, False
        if stationed is not None:
            stationed.close()

    def _stop_waiting(self) -> None:
        if self._entering is not None:
            self._entering.cancel()
            self._entering = None

    def _on_event(self, event: StationEvent) -> None:
        match event:
            case Apdu():
                self._take(event)
                self._host.plan(self.device)
            case Joined():
                self.is_member = True
            case Left():
                self.is_member, self._servers = False, {}
            case _:
                pass

    def _take(self, event: Apdu) -> None:
        now = self._host.clock.now()
        if event.is_broadcast:
            done = BroadcastServer(self.device_of).take(event.apdu, client=event.client, server=event.server, now=now)
            self._host.counts["broadcasts" if done else "broadcasts not done"] += 1
            return
        self._host.counts["requests"] += 1
        framing, server = self._server(event)
        framing.take(event)
        server.receive_data(event.apdu, now)
        while (told := server.next_event()) is not None:
            if isinstance(told, Disconnected):
                self._servers.pop(event.eui, None)

    def _server(self, event: Apdu) -> tuple[StationFraming, DlmsServer]:
        found = self._servers.get(event.eui)
        if found is None and self._stationed is not None:
            while len(self._servers) >= _MOST_PEERS:
                del self._servers[next(iter(self._servers))]
            framing = StationFraming(self._stationed.station, event.eui, event.client, event.server, role=Role.SERVER)
            found = self._servers[event.eui] = framing, DlmsServer(framing, self.device_of)
        if found is None:
            raise LocalProtocolError("the device is off the network")
        return found

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

    def add(self, config: HomeConfig) -> LoadController:
        """Take a device in; ConfigError if its serial is there already."""
        if config.serial in self.devices:
            raise ConfigError(f"device {config.serial} is there already")
        device = LoadController(config, self.clock.now())
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
