"""A simulated neighbourhood network in memory, on a virtual clock: weeks in seconds, the same every time."""

from __future__ import annotations

from collections.abc import Callable

from meterway.links.clocks import VirtualClock
from meterway.links.medium.neighbourhood.medium import NeighbourhoodMedium
from meterway.links.medium.neighbourhood.place import NodePlace
from meterway.links.medium.neighbourhood.records import Carried, NeighbourhoodStatistics, Route
from meterway.links.medium.neighbourhood.settings import NeighbourhoodSettings, Spot
from meterway.links.node import Call, NodeTimer

__all__ = ["SimulatedNeighbourhood"]


class SimulatedNeighbourhood:
    """Nodes that reach each other while the clock runs. It is a ``NodeClock`` itself.

    Several networks may share one ``clock``, which is then what runs; else the network has one of its own, that stands
    at ``start``. ``on_carried`` is told of every transmission.
    """

    __slots__ = ("_ports", "_settling", "_timer", "clock", "medium")

    def __init__(
        self,
        settings: NeighbourhoodSettings,
        *,
        start: float = 0.0,
        clock: VirtualClock | None = None,
        on_carried: Callable[[Carried], None] | None = None,
    ) -> None:
        self.medium = NeighbourhoodMedium(settings, on_carried=on_carried)
        self.clock = clock or VirtualClock(start)
        self._ports: dict[int, NodePlace] = {}
        self._timer = NodeTimer(self.clock, self._settle)
        self._settling = False

    @property
    def statistics(self) -> NeighbourhoodStatistics:
        """What was sent, delivered and lost."""
        return self.medium.statistics

    def routes(self) -> list[Route]:
        """Every node with its way to its coordinator, now."""
        return self.medium.routes(self.clock.now())

    def join(self, node: int, spot: Spot | None = None) -> NodePlace:
        """Put a node on the network (where the settings would have it, if no spot is given), or back on it.

        ConfigError if the number is taken or no node's.
        """
        self.medium.join(node, self.clock.now(), spot)
        port = self._ports[node] = NodePlace(self, node)
        return port

    def part(self, place: NodePlace) -> None:
        """Take a node off the network (``port.close`` does so)."""
        self._ports.pop(place.node, None)
        self.medium.leave(place.node, self.clock.now())

    def send(self, source: int, octets: bytes, *, to: int, urgent: bool = False) -> None:
        """Send for a node (``port.send`` does so)."""
        self.medium.send(source, to, octets, self.clock.now(), urgent=urgent)
        if not self._settling:
            self._timer.set(self.medium.next_due())

    def now(self) -> float:
        """Unix seconds of the clock."""
        return self.clock.now()

    def call_at(self, when: float, action: Callable[[], None]) -> Call:
        """Have ``action`` called when the clock stands at ``when``, or at once if that is past."""
        return self.clock.call_at(when, action)

    def run(self, until: float) -> None:
        """Let time pass until ``until``."""
        self.clock.run(until)

    def _settle(self) -> None:
        """A transmission ends."""
        self._settling = True
        try:
            for arrival in self.medium.settle(self.clock.now()):
                port = self._ports.get(arrival.node)
                if port is not None:
                    port.hear(arrival)
        finally:
            self._settling = False
            self._timer.set(self.medium.next_due())
