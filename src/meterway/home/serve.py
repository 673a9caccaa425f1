"""A process of load controllers: on the nodes of a neighbourhood network while its hub is there, and on a TCP port."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from meterway.base.errors import ConfigError
from meterway.home.config import HostConfig, NetworkConfig
from meterway.home.device import LoadController
from meterway.home.memory import HomeMemory
from meterway.home.nodes import HomeNodes
from meterway.home.objects import LogicalHome
from meterway.links import tcp
from meterway.links.clocks import LoopClock
from meterway.links.medium.neighbourhood.stay import HubStay
from meterway.links.pump import EngineProtocol
from meterway.stacks.dlms.framing import FramingEvent, Role
from meterway.stacks.dlms.server import DlmsServer
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.stacks.neighbourhood.station import Station

__all__ = ["HomeHost"]

_MOST_LINES: Final = 16


class HomeHost:
    """Load controllers of one process. ``start`` raises ConfigError for a port that is taken or a memory that fails."""

    def __init__(self, config: HostConfig, *, unix: Callable[[], float] = time.time) -> None:
        self.config = config
        self.unix = unix
        self.port: int | None = None
        """The local TCP port, where there is one."""
        self.nodes: HomeNodes
        self._keys = {one.title: one.join_key for one in config.devices}
        self._stay: HubStay | None = None
        self._listener: tcp.Listener | None = None
        self._lines: set[EngineProtocol[FramingEvent]] = set()

    @property
    def devices(self) -> dict[str, LoadController]:
        """The controllers by serial."""
        return self.nodes.devices

    @property
    def connected(self) -> bool:
        """Whether the network's hub is there."""
        return self._stay is not None and self._stay.connected

    async def start(self) -> None:
        """Make the devices, open the port, begin to look for the hub."""
        clock = LoopClock(unix=self.unix)
        self.nodes = HomeNodes(clock, self._station, memory=HomeMemory(self.unix, self.config.memory))
        for one in self.config.devices:
            self.nodes.add(one)
        if self.config.listen is not None:
            self._listener = await tcp.listen(self.config.listen.address, self.config.listen.port, self._made)
            self.port = self._listener.port
        if self.config.network is not None:
            self._stay = self._place(self.config.network)
            self._stay.open()

    async def stop(self) -> None:
        """Leave the network and let go of everything."""
        if self._stay is not None:
            await self._stay.stop()
        if self._listener is not None:
            self._listener.close()
        for line in list(self._lines):
            line.close()
        self.nodes.close()
        if self._stay is not None:
            self._stay.close()

    # -- neighbourhood ------------------------------------------------------------------------------------------------

    def _place(self, network: NetworkConfig) -> HubStay:
        stay = HubStay(network.address, network.port, self.nodes.nodes.values, spread_s=network.spread_s)
        for number, serial in enumerate(self.devices, network.node):
            if number > 0xFFFE:
                raise ConfigError(f"network: there is no node {number} for {serial}")
            self.nodes.place(serial, partial(stay.join, number), enters=False)
        return stay

    def _station(self, eui: bytes) -> Station:
        network = self.config.network
        if network is None:
            raise ConfigError("there is no network")
        return PROFILES[network.profile].hastened(network.time_factor).node(eui, self._keys[eui])

    # -- the local port -----------------------------------------------------------------------------------------------

    def _local(self, server: int) -> LogicalHome | None:
        found = list(self.devices.values())
        if not 1 <= server <= len(found):
            return None
        return LogicalHome(found[server - 1], self.nodes.memory, is_local=True)

    def _made(self) -> EngineProtocol[FramingEvent]:
        engine = _InUnix(WrapperFraming(0, 0, role=Role.SERVER), self._local, self.unix, self._done)

        def opened(line: EngineProtocol[FramingEvent]) -> None:
            self._lines.add(line)
            if len(self._lines) > _MOST_LINES:
                line.close()

        protocol: EngineProtocol[FramingEvent] = EngineProtocol(
            engine, lambda _: None, on_made=opened, on_lost=lambda _: self._lines.discard(protocol)
        )
        return protocol

    def _done(self) -> None:
        """Something was asked of a device: it may want to be called at another time now."""
        for device in self.devices.values():
            self.nodes.plan(device)


class _InUnix(DlmsServer):
    """Asks its devices in Unix time, whatever the loop's clock shows."""

    __slots__ = ("_done", "_unix")

    def __init__(
        self,
        framing: WrapperFraming,
        device_of: Callable[[int], LogicalHome | None],
        unix: Callable[[], float],
        done: Callable[[], None],
    ) -> None:
        super().__init__(framing, device_of)
        self._unix = unix
        self._done = done

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that it was closed."""
        super().receive_data(data, self._unix())
        self._done()
