"""The simulated neighbourhood network as a process: who connects puts nodes on it, sends for them, hears for them.

It runs in real time, or faster: with a ``time_factor`` of ten a frame is on the medium for a tenth of its time, and
routes follow ten times as fast. Clocks and the time of day of the noise keep real time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from meterway.base.errors import MeterwayError
from meterway.links.medium.hubs import Hub, HubLine
from meterway.links.medium.messages import MessageEngine
from meterway.links.medium.neighbourhood.medium import NeighbourhoodMedium
from meterway.links.medium.neighbourhood.records import Arrival, Carried, Route
from meterway.links.medium.neighbourhood.settings import NeighbourhoodSettings
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

__all__ = ["NeighbourhoodHub"]

_ROUTES_EACH: Final = 1000
_Line = HubLine[Message, int]


class NeighbourhoodHub(Hub[Message, int]):
    """A simulated network behind a TCP port (loopback unless another host is named).

    ``clock`` gives Unix time, ``time_factor`` simulated seconds on the medium for each real one. Nodes of a connection
    vanish when it ends. A client that says what the protocol does not know is cut off; what it asks for and cannot have
    is refused in words. There is no access control: it is a toy for one machine.
    """

    name = "neighbourhood hub"

    def __init__(
        self,
        settings: NeighbourhoodSettings,
        *,
        time_factor: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(clock)
        self.time_factor = time_factor
        self.medium = NeighbourhoodMedium(settings.hastened(time_factor))
        self._owners: dict[int, _Line] = {}

    def figures(self) -> Figures:
        """Counts since the beginning; ``airtime_s`` is simulated time."""
        counts = self.medium.statistics
        return Figures(
            profile=self.medium.settings.profile,
            nodes=sum(self.medium.nodes.values()),
            sent=counts.sent,
            delivered=counts.delivered,
            duplicated=counts.duplicated,
            broadcasts=counts.broadcasts,
            heard=counts.heard,
            transmissions=counts.transmissions,
            repetitions=counts.repetitions,
            reroutes=counts.reroutes,
            airtime_s=counts.airtime_s * self.time_factor,
            lost=dict(counts.lost),
            failed=dict(counts.failed),
            time_factor=self.time_factor,
        )

    def routes(self) -> list[Route]:
        """Every node with its way to its coordinator, now."""
        return self.medium.routes(self._clock())

    def _engine(self) -> MessageEngine[Message]:
        return NeighbourhoodWire()

    def _part(self, key: int) -> None:
        if self._owners.pop(key, None) is not None:
            self.medium.leave(key, self._clock())

    def _ask(self, line: _Line, message: Message) -> bool:
        now = self._clock()
        match message:
            case Send():
                self._send(line, message, now)
            case Join():
                self._join(line, message, now)
            case Leave():
                if line.stations.pop(message.node, None) is not None:
                    self._part(message.node)
            case Watch():
                self._watch(line, message, now)
            case _:
                return False
        return True

    def _join(self, line: _Line, message: Join, now: float) -> None:
        try:
            self.medium.join(message.node, now, message.spot)
        except MeterwayError as error:
            self._tell(line, Refused(message.node, str(error)))
            return
        line.stations[message.node] = message.node
        self._owners[message.node] = line

    def _send(self, line: _Line, message: Send, now: float) -> None:
        self._settle(now)
        try:
            if message.node not in line.stations:
                raise MeterwayError(f"node {message.node} is not yours")
            self.medium.send(message.node, message.to, message.octets, now, urgent=message.urgent)
        except MeterwayError as error:
            self._tell(line, Refused(message.node, str(error)))
        self._arm(now)

    def _watch(self, line: _Line, message: Watch, now: float) -> None:
        line.watches = message.frames
        self.medium.on_carried = self._carried if self._watchers() else None
        self._tell(line, self.figures())
        routes = self.medium.routes(now)
        for first in range(0, max(len(routes), 1), _ROUTES_EACH):
            part = tuple(routes[first : first + _ROUTES_EACH])
            self._tell(line, Routes(now, part, is_last=first + _ROUTES_EACH >= len(routes)))

    def _carried(self, carried: Carried) -> None:
        for line in self._watchers():
            self._tell(line, Transmitted(carried))

    def _next_due(self) -> float | None:
        return self.medium.next_due()

    def _settle(self, now: float) -> None:
        waiting: list[Arrival] = []
        for arrival in self.medium.settle(now):
            if waiting and not _same(waiting[0], arrival):
                self._hand_out(waiting)
                waiting = []
            waiting.append(arrival)
        if waiting:
            self._hand_out(waiting)

    def _hand_out(self, arrivals: list[Arrival]) -> None:
        """Say one frame's arrivals to each client in one message."""
        found: dict[_Line, list[tuple[int, int]]] = {}
        for arrival in arrivals:
            owner = self._owners.get(arrival.node)
            if owner is not None:
                found.setdefault(owner, []).append((arrival.node, arrival.hops))
        first = arrivals[0]
        for line, nodes in found.items():
            self._tell(line, Heard(first.octets, first.source, first.time_s, tuple(nodes), first.is_broadcast))


def _same(one: Arrival, other: Arrival) -> bool:
    """Whether two arrivals are of one transmission of a broadcast."""
    return one.is_broadcast and other.is_broadcast and one.octets is other.octets and one.time_s == other.time_s
