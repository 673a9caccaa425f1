"""The meters of a host as nodes of a simulated neighbourhood network, as long as its hub is there."""

from __future__ import annotations

import asyncio

from meterway.base.errors import ConfigError
from meterway.links.clocks import LoopClock
from meterway.links.medium.neighbourhood.stay import HubStay
from meterway.meter.config import NetworkConfig
from meterway.meter.counters import ClockCounters, FileCounters
from meterway.meter.device import Meter
from meterway.meter.nodes import Beyond, MeterNode, MeterNodes, NodeSettings
from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.stacks.neighbourhood.station import Station

__all__ = ["MeterNetwork"]


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
        self._stay = HubStay(config.address, config.port, self.nodes.nodes.values, spread_s=config.spread_s)

    @property
    def connected(self) -> bool:
        """Whether the hub is there."""
        return self._stay.connected

    def add(self, meter: Meter) -> MeterNode:
        """Take a meter in; it comes onto the network when the hub is there."""
        number = self.config.node + len(self.nodes.nodes)
        if number > 0xFFFE:
            raise ConfigError(f"network: there is no node {number} for meter {meter.serial}")
        self._keys[meter.title] = meter.config.join_key
        return self.nodes.add(meter, lambda: self._stay.join(number), enters=False)

    def open(self) -> None:
        """Begin to look for the hub."""
        self._stay.open()

    async def close(self, *, last_gasp: bool = False) -> None:
        """Leave the network with all meters, at once or when their last gasps had their time."""
        if last_gasp and self.connected and any(node.is_member for node in self.nodes.nodes.values()):
            await asyncio.sleep(self.config.hold_s)
        await self._stay.stop()
        self.nodes.close()
        self._stay.close()

    def _station(self, eui: bytes) -> Station:
        return self._profile.node(eui, self._keys[eui])
