"""The simulated radio as a process: who connects puts stations on the air, sends for them and is told what they hear.

Times on the air are exact though sockets are not: an answer is sent at the time of what it answers plus its delay, even
when the hub learns of it a little later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from meterway.base.errors import MeterwayError
from meterway.links.medium.air import Air, Aired, AirSettings, Station
from meterway.links.medium.channel import AirMode
from meterway.links.medium.hubs import Hub, HubLine
from meterway.links.medium.messages import MessageEngine
from meterway.links.medium.wire import Figures, Gone, Heard, Join, Leave, Message, Refused, Send, Watch, WireEngine

__all__ = ["RadioHub"]

_LATEST_S: Final = 1.0
_FARTHEST_S: Final = 3600.0
_Line = HubLine[Message, str]


class RadioHub(Hub[Message, str]):
    """A simulated air behind a TCP port (loopback unless another host is named).

    ``clock`` gives Unix time. A frame that is to begin more than a second ago or in more than an hour is sent at
    once and counted in ``misdated``. Stations of a connection leave the air when it ends. A client that says what the
    protocol does not know is cut off; what it asks for and cannot have is refused in words.
    """

    name = "radio hub"

    def __init__(
        self,
        modes: Mapping[str, AirMode],
        settings: AirSettings | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(clock)
        self.air = Air(modes, settings)
        self.misdated = 0
        self._owners: dict[str, tuple[_Line, int]] = {}

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

    def _engine(self) -> MessageEngine[Message]:
        return WireEngine()

    def _part(self, key: str) -> None:
        self._owners.pop(key, None)
        self.air.leave(key)

    def _ask(self, line: _Line, message: Message) -> bool:
        match message:
            case Send():
                self._send(line, message)
            case Join():
                self._join(line, message)
            case Leave():
                name = line.stations.pop(message.number, None)
                if name is not None:
                    self._part(name)
            case Watch():
                line.watches = message.frames
                self._tell(line, self.figures())
            case _:
                return False
        return True

    def _join(self, line: _Line, message: Join) -> None:
        station = Station(
            name=message.name,
            place=message.place,
            hears=frozenset(message.hears),
            power_dbm=message.power_dbm,
            loss_db=message.loss_db,
        )
        try:
            if message.number in line.stations:
                raise MeterwayError(f"station number {message.number} is in use")
            self.air.join(station)
        except MeterwayError as error:
            self._tell(line, Refused(message.number, str(error)))
            return
        line.stations[message.number] = station.name
        self._owners[station.name] = (line, message.number)

    def _send(self, line: _Line, message: Send) -> None:
        now = self._clock()
        try:
            name = line.stations.get(message.number)
            if name is None:
                raise MeterwayError(f"no station has the number {message.number}")
            start = (now if message.since_s is None else message.since_s) + message.delay_s
            if not now - _LATEST_S <= start <= now + _FARTHEST_S:
                start = now
                self.misdated += 1
            if self.air.transmit(name, message.mode, message.octets, start_s=start) is None:
                self._tell(line, Refused(message.number, "its share of the band is used up", duty=True))
                return
        except MeterwayError as error:
            self._tell(line, Refused(message.number, str(error)))
            return
        self._arm(now)

    def _next_due(self) -> float | None:
        return self.air.next_due()

    def _settle(self, now: float) -> None:
        for aired in self.air.settle(now):
            self._hand_out(aired, now)

    def _hand_out(self, aired: Aired, now: float) -> None:
        frame = aired.transmission
        time_s = now if aired.repeat else frame.end_s
        heard: dict[_Line, list[tuple[int, float]]] = {}
        for name, signal in aired.heard:
            owner = self._owners.get(name)
            if owner is not None:
                heard.setdefault(owner[0], []).append((owner[1], signal))
        for line, stations in heard.items():
            self._tell(line, Heard(frame.mode, aired.octets, time_s, tuple(stations), aired.repeat))
        for line in self._watchers():
            self._tell(line, _gone(aired))


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
