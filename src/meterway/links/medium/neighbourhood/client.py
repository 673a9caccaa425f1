"""A process's way to the neighbourhood hub: one connection, any number of nodes."""

from __future__ import annotations

from collections.abc import Callable

from meterway.links.medium.hubs import HubClient
from meterway.links.medium.neighbourhood.place import NodePlace
from meterway.links.medium.neighbourhood.records import Arrival, Carried, Route
from meterway.links.medium.neighbourhood.settings import Spot
from meterway.links.medium.neighbourhood.wire import (
    Figures,
    Heard,
    Join,
    Leave,
    Message,
    NeighbourhoodWire,
    Refused,
    Routes,
    Send,
    Transmitted,
    Watch,
)

__all__ = ["NeighbourhoodClient"]


class NeighbourhoodClient(HubClient[Message]):
    """A connection to a neighbourhood hub. ``on_lost`` hears once that it ended; ``problems`` are refusals in words."""

    name = "neighbourhood hub"

    def __init__(self, on_lost: Callable[[str], None] | None = None) -> None:
        super().__init__(NeighbourhoodWire(), on_lost)
        self._ports: dict[int, NodePlace] = {}
        self._routes: list[Route] = []
        self._on_carried: Callable[[Carried], None] | None = None
        self._on_state: Callable[[Figures, list[Route]], None] | None = None
        self._figures: Figures | None = None

    def join(self, node: int, spot: Spot | None = None) -> NodePlace:
        """Put a node on the network, or back on it. A number that is taken shows in ``problems``."""
        self._tell(Join(node, spot))
        port = self._ports[node] = NodePlace(self, node)
        return port

    def part(self, place: NodePlace) -> None:
        """Take a node off the network (``port.close`` does so)."""
        if self._ports.get(place.node) is place:
            del self._ports[place.node]
            if self.connected:
                self._tell(Leave(place.node))

    def send(self, source: int, octets: bytes, *, to: int, urgent: bool = False) -> None:
        """Send for a node (``port.send`` does so)."""
        self._tell(Send(source, to, octets, urgent))

    def watch(
        self, on_carried: Callable[[Carried], None] | None, on_state: Callable[[Figures, list[Route]], None]
    ) -> None:
        """Be told the figures and routes once now, and of every transmission if ``on_carried`` is given.

        Ask again for figures and routes of a later time.
        """
        self._on_carried, self._on_state = on_carried, on_state
        self._tell(Watch(on_carried is not None))

    def _told(self, message: Message) -> bool:
        match message:
            case Heard():
                self._heard(message)
            case Refused():
                self._problem(f"node {message.node}: {message.reason}")
            case Transmitted():
                if self._on_carried is not None:
                    self._on_carried(message.carried)
            case Figures():
                self._figures = message
            case Routes():
                self._take(message)
            case _:
                return False
        return True

    def _take(self, message: Routes) -> None:
        self._routes += message.routes
        if not message.is_last:
            return
        routes, self._routes = self._routes, []
        if self._on_state is not None and self._figures is not None:
            self._on_state(self._figures, routes)

    def _heard(self, message: Heard) -> None:
        for node, hops in message.nodes:
            port = self._ports.get(node)
            if port is not None:
                port.hear(Arrival(node, message.source, message.octets, message.time_s, hops, message.is_broadcast))
