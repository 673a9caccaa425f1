"""A process's way to the neighbourhood hub: one connection, any number of nodes."""

from __future__ import annotations

from collections.abc import Callable

from meterway.base.errors import LinkError
from meterway.links.medium.hubs import HubClient
from meterway.links.medium.neighbourhood.records import Carried, Route
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
from meterway.links.node import FrameHeard, OnFrame

__all__ = ["ClientNode", "NeighbourhoodClient"]


class ClientNode:
    """One node's place on the network of a hub."""

    __slots__ = ("_client", "_node", "_on_frame")

    def __init__(self, client: NeighbourhoodClient, node: int) -> None:
        self._client: NeighbourhoodClient | None = client
        self._node = node
        self._on_frame: OnFrame | None = None

    @property
    def node(self) -> int:
        """Its number."""
        return self._node

    def listen(self, on_frame: OnFrame) -> None:
        """Hand every frame for this node, and every broadcast, to ``on_frame``."""
        self._on_frame = on_frame

    def send(self, octets: bytes, *, to: int, urgent: bool = False) -> None:
        """Send one frame to a node or to ``BROADCAST``; LinkError after ``close`` or when the hub is gone.

        A frame that the network's frames do not hold shows in the client's ``problems``, as the hub says so later.
        """
        if self._client is None:
            raise LinkError(f"node {self._node} is not on the network")
        self._client.send(self._node, octets, to=to, urgent=urgent)

    def close(self) -> None:
        """Vanish from the network: hear and send no more."""
        client, self._client, self._on_frame = self._client, None, None
        if client is not None:
            client.part(self)

    def hear(self, frame: FrameHeard) -> None:
        """Take a frame from the medium."""
        if self._on_frame is not None:
            self._on_frame(frame)


class NeighbourhoodClient(HubClient[Message]):
    """A connection to a neighbourhood hub. ``on_lost`` hears once that it ended; ``problems`` are refusals in words."""

    name = "neighbourhood hub"

    def __init__(self, on_lost: Callable[[str], None] | None = None) -> None:
        super().__init__(NeighbourhoodWire(), on_lost)
        self._ports: dict[int, ClientNode] = {}
        self._routes: list[Route] = []
        self._on_carried: Callable[[Carried], None] | None = None
        self._on_state: Callable[[Figures, list[Route]], None] | None = None
        self._figures: Figures | None = None

    def join(self, node: int, spot: Spot | None = None) -> ClientNode:
        """Put a node on the network, or back on it. A number that is taken shows in ``problems``."""
        self._tell(Join(node, spot))
        port = self._ports[node] = ClientNode(self, node)
        return port

    def part(self, port: ClientNode) -> None:
        """Take a node off the network (``port.close`` does so)."""
        if self._ports.get(port.node) is port:
            del self._ports[port.node]
            if self.connected:
                self._tell(Leave(port.node))

    def send(self, node: int, octets: bytes, *, to: int, urgent: bool = False) -> None:
        """Send for a node (``port.send`` does so)."""
        self._tell(Send(node, to, octets, urgent))

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
                port.hear(
                    FrameHeard(
                        octets=message.octets,
                        source=message.source,
                        time_s=message.time_s,
                        hops=hops,
                        is_broadcast=message.is_broadcast,
                        simulated=True,
                    )
                )
