"""The concentrator's place on a neighbourhood network behind a hub: lost with the hub, taken again when it is back.

It also tells the routes as the medium's model has them: they stand for what the MAC of a modem knows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from meterway.base.errors import LinkError
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.medium.neighbourhood.records import Route
from meterway.links.medium.neighbourhood.wire import Figures
from meterway.links.node import NodePort, OnFrame
from meterway.nnap.config import NetworkConfig

__all__ = ["HubPlace"]

_LOG = logging.getLogger(__name__)


class HubPlace:
    """A ``NodePort`` and a ``Topology``. What is sent while the hub is away is lost, as on any bad medium.

    ``on_routes`` is called when routes have come, ``on_change`` with whether the hub is there.
    """

    def __init__(self, network: NetworkConfig) -> None:
        self.on_routes: Callable[[], None] = _nothing
        self.on_change: Callable[[bool], None] = _nothing
        self._network = network
        self._client: NeighbourhoodClient | None = None
        self._place: NodePort | None = None
        self._on_frame: OnFrame | None = None
        self._routes: list[Route] = []
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def node(self) -> int:
        """Its number."""
        return self._network.node

    @property
    def connected(self) -> bool:
        """Whether the hub is there."""
        return self._place is not None

    def open(self) -> None:
        """Begin to look for the hub."""
        self._task = asyncio.get_running_loop().create_task(self._stay())

    def listen(self, on_frame: OnFrame) -> None:
        """Hand every frame to ``on_frame``, now and after the hub was away."""
        self._on_frame = on_frame
        if self._place is not None:
            self._place.listen(on_frame)

    def send(self, octets: bytes, *, to: int, urgent: bool = False) -> None:
        """Send one frame; without a hub it is lost."""
        if self._place is not None:
            self._place.send(octets, to=to, urgent=urgent)

    def routes(self) -> list[Route]:
        """What the hub told last; none while it is away."""
        return self._routes

    def close(self) -> None:
        """Leave, and look for the hub no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        client, self._client, self._place = self._client, None, None
        if client is not None:
            client.close()

    async def _stay(self) -> None:
        told = False
        while True:
            self._lost.clear()
            client = NeighbourhoodClient(self._gone)
            try:
                await client.connect(self._network.port, self._network.host)
                self._enter(client)
                told = False
                await self._ask_routes(client)
            except LinkError as error:
                if not told:
                    _LOG.warning("network: %s", error)
                    told = True
            await asyncio.sleep(self._network.retry_s)

    def _enter(self, client: NeighbourhoodClient) -> None:
        place = client.join(self._network.node)
        if self._on_frame is not None:
            place.listen(self._on_frame)
        self._client, self._place = client, place
        self.on_change(True)

    async def _ask_routes(self, client: NeighbourhoodClient) -> None:
        """Ask again and again until the hub has gone."""
        while not self._lost.is_set():
            client.watch(None, self._told)
            try:
                async with asyncio.timeout(self._network.routes_s):
                    await self._lost.wait()
            except TimeoutError:
                continue

    def _told(self, figures: Figures, routes: list[Route]) -> None:
        self._routes = routes
        self.on_routes()

    def _gone(self, reason: str) -> None:
        self._lost.set()
        if self._place is None:
            return
        _LOG.warning("network: %s", reason)
        self._client = self._place = None
        self._routes = []
        self.on_change(False)


def _nothing(*_: object) -> None:
    """Nobody listens."""
