"""The simulated radio as a process: who connects puts stations on the air, sends for them and is told what they hear.

Times on the air are exact though sockets are not: an answer is sent at the time of what it answers plus its delay, even
when the hub learns of it a little later.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Final

from meterway.base.errors import MeterwayError
from meterway.links import tcp
from meterway.links.medium.air import Air, Aired, AirSettings, Station
from meterway.links.medium.channel import AirMode
from meterway.links.medium.wire import (
    Closed,
    Figures,
    Gone,
    Heard,
    Join,
    Leave,
    Message,
    Refused,
    Send,
    Watch,
    WireEngine,
)
from meterway.links.pump import EngineProtocol

__all__ = ["RadioHub"]

_LATEST_S: Final = 1.0
_FARTHEST_S: Final = 3600.0
_LOG = logging.getLogger(__name__)


class _Client:
    """One connection and the stations it put on the air."""

    __slots__ = ("names", "protocol", "touched", "watches", "wire")

    def __init__(self, protocol: EngineProtocol[Message], wire: WireEngine) -> None:
        self.protocol = protocol
        self.wire = wire
        self.names: dict[int, str] = {}
        self.watches = False
        self.touched = False


class RadioHub:
    """A simulated air behind a TCP port (loopback unless another host is named).

    ``clock`` gives Unix time. A frame that is to begin more than a second ago or in more than an hour is sent at
    once and counted in ``misdated``. Stations of a connection leave the air when it ends. A client that says what the
    protocol does not know is cut off; what it asks for and cannot have is refused in words.
    """

    def __init__(
        self,
        modes: Mapping[str, AirMode],
        settings: AirSettings | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.air = Air(modes, settings)
        self.misdated = 0
        self._clock = clock
        self._clients: set[_Client] = set()
        self._owners: dict[str, tuple[_Client, int]] = {}
        self._listener: tcp.Listener | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = math.inf

    async def open(self, host: str | None = None, port: int = 0) -> int:
        """Begin to listen; returns the port. ConfigError names host and port if taken."""
        self._listener = await tcp.listen(host, port, self._made)
        return self._listener.port

    async def close(self) -> None:
        """Cut everyone off and free the port."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._listener is not None:
            self._listener.close()
        for client in tuple(self._clients):
            client.protocol.abort()
        if self._listener is not None:
            await self._listener.wait_closed()
            self._listener = None

    def figures(self) -> Figures:
        """Counts since the beginning."""
        counts = self.air.statistics
        return Figures(
            stations=len(self.air.stations),
            sent=counts.sent,
            refused=counts.refused,
            received=counts.received,
            unheard=counts.unheard,
            late=counts.late,
            repeated=counts.repeated,
            airtime_s=counts.airtime_s,
            lost=dict(counts.lost),
        )

    def _made(self) -> EngineProtocol[Message]:
        wire = WireEngine()
        protocol = EngineProtocol[Message](
            wire, lambda message: self._said(client, message), on_lost=lambda error: self._lost(client)
        )
        client = _Client(protocol, wire)
        self._clients.add(client)
        return protocol

    def _lost(self, client: _Client) -> None:
        self._clients.discard(client)
        for name in client.names.values():
            self._owners.pop(name, None)
            self.air.leave(name)
        client.names.clear()

    def _said(self, client: _Client, message: Message) -> None:
        match message:
            case Send():
                self._send(client, message)
            case Join():
                self._join(client, message)
            case Leave():
                name = client.names.pop(message.number, None)
                if name is not None:
                    self._owners.pop(name, None)
                    self.air.leave(name)
            case Watch():
                client.watches = message.frames
                client.wire.tell(self.figures())
            case Closed() if not message.reason:
                pass
            case _:
                _LOG.warning("radio hub: %s is cut off: %s", client.protocol.peer(), message)
                client.protocol.abort()

    def _join(self, client: _Client, message: Join) -> None:
        station = Station(
            name=message.name,
            place=message.place,
            hears=frozenset(message.hears),
            power_dbm=message.power_dbm,
            loss_db=message.loss_db,
        )
        try:
            if message.number in client.names:
                raise MeterwayError(f"station number {message.number} is in use")
            self.air.join(station)
        except MeterwayError as error:
            client.wire.tell(Refused(message.number, str(error)))
            return
        client.names[message.number] = station.name
        self._owners[station.name] = (client, message.number)

    def _send(self, client: _Client, message: Send) -> None:
        now = self._clock()
        try:
            name = client.names.get(message.number)
            if name is None:
                raise MeterwayError(f"no station has the number {message.number}")
            start = (now if message.since_s is None else message.since_s) + message.delay_s
            if not now - _LATEST_S <= start <= now + _FARTHEST_S:
                start = now
                self.misdated += 1
            if self.air.transmit(name, message.mode, message.octets, start_s=start) is None:
                client.wire.tell(Refused(message.number, "its share of the band is used up", duty=True))
                return
        except MeterwayError as error:
            client.wire.tell(Refused(message.number, str(error)))
            return
        self._arm(now)

    def _arm(self, now: float) -> None:
        """Wake up when the next frame has arrived."""
        due = self.air.next_due()
        if due is None or due >= self._timer_due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, due - now), self._settle)

    def _settle(self) -> None:
        self._timer, self._timer_due = None, math.inf
        now = self._clock()
        touched: list[_Client] = []
        for aired in self.air.settle(now):
            self._hand_out(aired, now, touched)
        for client in touched:
            client.touched = False
            client.protocol.flush()
        self._arm(now)

    def _hand_out(self, aired: Aired, now: float, touched: list[_Client]) -> None:
        frame = aired.transmission
        time_s = now if aired.repeat else frame.end_s
        heard: dict[_Client, list[tuple[int, float]]] = {}
        for name, signal in aired.heard:
            owner = self._owners.get(name)
            if owner is not None:
                heard.setdefault(owner[0], []).append((owner[1], signal))
        for client, stations in heard.items():
            client.wire.tell(Heard(frame.mode, aired.octets, time_s, tuple(stations), aired.repeat))
            _touch(client, touched)
        for client in self._clients:
            if client.watches:
                client.wire.tell(_gone(aired))
                _touch(client, touched)


def _touch(client: _Client, touched: list[_Client]) -> None:
    if not client.touched:
        client.touched = True
        touched.append(client)


def _gone(aired: Aired) -> Gone:
    frame = aired.transmission
    return Gone(
        frame.station,
        frame.mode,
        aired.octets,
        frame.start_s,
        frame.end_s,
        len(aired.heard),
        dict(aired.lost),
        aired.repeat,
    )
