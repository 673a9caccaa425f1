"""Interface L: the gateway as a node of a neighbourhood network, served there as it is on a line.

The concentrator carries what head end and gateway say to each other, and has no keys for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from meterway.base.errors import LinkError
from meterway.interfaces.stationed import Stationed
from meterway.links.clocks import LoopClock
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.node import NodeClock, NodePort
from meterway.lnap.links_config import UplinkConfig
from meterway.stacks.dlms.framing import Disconnected, Role
from meterway.stacks.dlms.server import DlmsServer, LogicalDevice
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu, Joined, Left, Station, StationEvent

__all__ = ["DeviceOf", "Uplink", "stay_joined"]

_LOG: Final = logging.getLogger(__name__)
_MOST_LINES: Final = 16
_Line = tuple[StationFraming, DlmsServer]
DeviceOf = Callable[[int], LogicalDevice | None]
"""Gives the logical device of an address."""


class Uplink:
    """The gateway's place on the network. ``device_of`` gives its logical devices by address."""

    def __init__(self, station: Station, port: NodePort, clock: NodeClock, device_of: DeviceOf) -> None:
        self._stationed = Stationed(station, port, clock, self._on_event)
        self._station = station
        self._clock = clock
        self._device_of = device_of
        self._lines: dict[tuple[bytes, int, int], _Line] = {}
        self.is_member = False

    def start(self) -> None:
        """Begin to look for the network."""
        self._stationed.start()

    def close(self) -> None:
        """Leave it without a word."""
        self._stationed.close()
        self._lines.clear()
        self.is_member = False

    def _on_event(self, event: StationEvent) -> None:
        match event:
            case Joined():
                self.is_member = True
            case Left():
                self.is_member = False
                self._lines.clear()
            case Apdu(is_broadcast=False):
                self._take(event)
            case _:  # broadcasts are for meters; what was not delivered is asked again
                pass

    def _take(self, event: Apdu) -> None:
        key = (event.eui, event.client, event.server)
        framing, server = self._line(key)
        framing.take(event)
        server.receive_data(event.apdu, self._clock.now())
        while (told := server.next_event()) is not None:
            if isinstance(told, Disconnected):
                self._lines.pop(key, None)

    def _line(self, key: tuple[bytes, int, int]) -> _Line:
        """One for each pair of addresses; the oldest makes place."""
        found = self._lines.get(key)
        if found is None:
            if len(self._lines) >= _MOST_LINES:
                del self._lines[next(iter(self._lines))]
            framing = StationFraming(self._station, *key, role=Role.SERVER)
            found = self._lines[key] = framing, DlmsServer(framing, self._device_of)
        return found


async def stay_joined(
    settings: UplinkConfig, station: Callable[[], Station], device_of: DeviceOf, *, unix: Callable[[], float]
) -> None:
    """Be a node of the network until cancelled, again whenever the hub comes back."""
    while True:
        lost = asyncio.Event()
        client = NeighbourhoodClient(lambda _, lost=lost: lost.set())  # type: ignore[misc]
        try:
            await client.connect(settings.port, settings.host)
        except LinkError as error:
            _LOG.warning("uplink: %s", error)
        else:
            uplink = Uplink(station(), client.join(settings.node), LoopClock(unix), device_of)
            try:
                uplink.start()
                await lost.wait()
                _LOG.warning("uplink: the hub at %s:%d is gone", settings.host, settings.port)
            finally:
                uplink.close()
                client.close()
        await asyncio.sleep(settings.retry_s)
