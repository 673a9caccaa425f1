"""Interface L: the gateway as a node of a neighbourhood network, served there as it is on a line.

The concentrator carries what head end and gateway say to each other, and has no keys for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from meterway.base.errors import LinkError, LocalProtocolError
from meterway.interfaces.stationed import Stationed
from meterway.links.clocks import LoopClock
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.node import NodeClock, NodePort
from meterway.lnap.links_config import UplinkConfig
from meterway.stacks.dlms.framing import Disconnected, Role
from meterway.stacks.dlms.server import DlmsServer, LogicalDevice
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu, Joined, Left, Station, StationEvent, Undelivered

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
        self._above = b""
        self._carried: dict[bytes, asyncio.Event] = {}
        self.is_member = False

    def start(self) -> None:
        """Begin to look for the network."""
        self._stationed.start()

    def close(self) -> None:
        """Leave it without a word."""
        self._stationed.close()
        self._lines.clear()
        self.is_member = False

    async def carry(self, apdu: bytes, client: int, server: int, *, wait_s: float) -> None:
        """Send an APDU to the concentrator; LinkError if there is none, or the network gives it up within ``wait_s``.

        A concentrator that the station cannot name is known once it has said something.
        """
        above = getattr(self._station, "coordinator", b"") or self._above
        if not self.is_member or not above:
            raise LinkError("the gateway is on no network, or does not know its concentrator yet")
        failed = self._carried[apdu] = asyncio.Event()
        try:
            self._station.send_apdu(above, apdu, client=client, server=server, now=self._clock.now())
            self._stationed.flush()
            async with asyncio.timeout(wait_s):
                await failed.wait()
        except LocalProtocolError as error:
            raise LinkError(str(error)) from None
        except TimeoutError:
            return
        finally:
            del self._carried[apdu]
        raise LinkError("the network gave it up")

    def _gave_up(self, apdu: bytes) -> None:
        failed = self._carried.get(apdu)
        if failed is not None:
            failed.set()

    def _on_event(self, event: StationEvent) -> None:
        match event:
            case Joined():
                self.is_member = True
            case Left():
                self.is_member = False
                self._lines.clear()
                for apdu in tuple(self._carried):
                    self._gave_up(apdu)
            case Undelivered():
                self._gave_up(event.apdu)
            case Apdu(is_broadcast=False):
                self._above = event.eui
                self._take(event)
            case _:  # broadcasts are for meters
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
    settings: UplinkConfig,
    station: Callable[[], Station],
    device_of: DeviceOf,
    *,
    unix: Callable[[], float],
    on_uplink: Callable[[Uplink | None], None] = lambda _: None,
) -> None:
    """Be a node of the network until cancelled, again whenever the hub comes back.

    ``on_uplink`` is given each place that is taken, and None when it is lost.
    """
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
                on_uplink(uplink)
                await lost.wait()
                _LOG.warning("uplink: the hub at %s:%d is gone", settings.host, settings.port)
            finally:
                on_uplink(None)
                uplink.close()
                client.close()
        await asyncio.sleep(settings.retry_s)
