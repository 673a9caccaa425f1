"""The meters of a host as nodes of a simulated neighbourhood network, as long as its hub is there."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Final

from meterway.base.errors import ConfigError, LinkError
from meterway.links.clocks import LoopClock
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.node import NodePort
from meterway.meter.config import NetworkConfig
from meterway.meter.counters import ClockCounters, FileCounters
from meterway.meter.device import Meter
from meterway.meter.nodes import Beyond, MeterNode, MeterNodes, NodeSettings
from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.stacks.neighbourhood.station import Station

__all__ = ["MeterNetwork"]

_AGAIN_S: Final = 5.0
_LOG = logging.getLogger(__name__)


class MeterNetwork:
    """Puts meters on the network while the hub is there, each at a moment of its own within ``spread_s``.

    When the hub has gone the meters are off the network until it is back. ConfigError if more meters are added than
    there are node numbers.
    """

    def __init__(
        self,
        config: NetworkConfig,
        clock: LoopClock,
        counters: FileCounters | ClockCounters,
        beyond: Beyond | None = None,
    ) -> None:
        self.config = config
        self._profile = PROFILES[config.profile].hastened(config.time_factor)
        settings = NodeSettings(hold_s=config.hold_s, watch_s=0.0)
        self.nodes = MeterNodes(clock, self._station, settings=settings, counters=counters, beyond=beyond)
        self._keys: dict[bytes, bytes] = {}
        self._client: NeighbourhoodClient | None = None
        self._seeking: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether the hub is there."""
        return self._client is not None and self._client.connected

    def add(self, meter: Meter) -> MeterNode:
        """Take a meter in; it comes onto the network when the hub is there."""
        number = self.config.node + len(self.nodes.nodes)
        if number > 0xFFFE:
            raise ConfigError(f"network: there is no node {number} for meter {meter.serial}")
        self._keys[meter.title] = meter.config.join_key
        return self.nodes.add(meter, lambda: self._join(number), enters=False)

    def open(self) -> None:
        """Begin to look for the hub."""
        self._seeking = asyncio.get_running_loop().create_task(self._seek())

    async def close(self, *, last_gasp: bool = False) -> None:
        """Leave the network with all meters, at once or when their last gasps had their time."""
        if last_gasp and self.connected and any(node.is_member for node in self.nodes.nodes.values()):
            await asyncio.sleep(self.config.hold_s)
        if self._seeking is not None:
            self._seeking.cancel()
            await asyncio.gather(self._seeking, return_exceptions=True)
            self._seeking = None
        self.nodes.close()
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _station(self, eui: bytes) -> Station:
        return self._profile.node(eui, self._keys[eui])

    def _join(self, number: int) -> NodePort:
        if self._client is None:
            raise LinkError("the neighbourhood hub is not there")
        return self._client.join(number)

    async def _seek(self) -> None:
        while True:
            self._lost.clear()
            client = NeighbourhoodClient(self._gone)
            try:
                await client.connect(self.config.port, self.config.address)
            except LinkError as error:
                _LOG.warning("network: %s", error)
            else:
                self._client = client
                self._enter()
                await self._lost.wait()
            await asyncio.sleep(_AGAIN_S)

    def _gone(self, reason: str) -> None:
        """The hub is not there any more: nobody may go on to send."""
        if self._client is not None:
            _LOG.warning("network: %s", reason)
            self._client = None
            for node in self.nodes.nodes.values():
                node.leave()
        self._lost.set()

    def _enter(self) -> None:
        for node in self.nodes.nodes.values():
            node.enter_after(random.uniform(0.0, self.config.spread_s))  # noqa: S311  spreads load, protects nothing
