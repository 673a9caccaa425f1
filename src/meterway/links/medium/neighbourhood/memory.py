"""A simulated neighbourhood network in memory, on a virtual clock: weeks in seconds, the same every time."""

from __future__ import annotations

from collections.abc import Callable

from meterway.base.errors import LinkError
from meterway.links.clocks import VirtualClock
from meterway.links.medium.neighbourhood.medium import NeighbourhoodMedium
from meterway.links.medium.neighbourhood.records import Carried, NeighbourhoodStatistics, Route
from meterway.links.medium.neighbourhood.settings import NeighbourhoodSettings, Spot
from meterway.links.node import Call, FrameHeard, OnFrame

__all__ = ["SimulatedNeighbourhood", "SimulatedNode"]


class SimulatedNode:
    """One node's place on a simulated network."""

    __slots__ = ("_network", "_node", "_on_frame")

    def __init__(self, network: SimulatedNeighbourhood, node: int) -> None:
        self._network: SimulatedNeighbourhood | None = network
        self._node = node
        self._on_frame: OnFrame | None = None

    @property
    def node(self) -> int:
        """Its number."""
        return self._node

    def listen(self, on_frame: OnFrame) -> None:
        """Hand every frame for this node, and every broadcast, to ``on_frame``."""
        self._on_frame = on_frame

    def send(self, octets: bytes, *, to: int, urgent: bool = False) -> None:
        """Send one frame to a node or to ``BROADCAST``; LinkError after ``close`` or for too many octets."""
        if self._network is None:
            raise LinkError(f"node {self._node} is not on the network")
        self._network.send(self._node, octets, to=to, urgent=urgent)

    def close(self) -> None:
        """Vanish from the network: hear and send no more. ``join`` with the same number comes back."""
        network, self._network, self._on_frame = self._network, None, None
        if network is not None:
            network.part(self)

    def hear(self, frame: FrameHeard) -> None:
        """Take a frame from the medium."""
        if self._on_frame is not None:
            self._on_frame(frame)


class SimulatedNeighbourhood:
    """Nodes that reach each other while the clock runs. It is a ``NodeClock`` itself.

    Several networks may share one ``clock``, which is then what runs; else the network has one of its own, that stands
    at ``start``. ``on_carried`` is told of every transmission.
    """

    __slots__ = ("_call", "_due", "_ports", "_settling", "clock", "medium")

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
        self._ports: dict[int, SimulatedNode] = {}
        self._call: Call | None = None
        self._due = 0.0
        self._settling = False

    @property
    def statistics(self) -> NeighbourhoodStatistics:
        """What was sent, delivered and lost."""
        return self.medium.statistics

    def routes(self) -> list[Route]:
        """Every node with its way to its coordinator, now."""
        return self.medium.routes(self.clock.now())

    def join(self, node: int, spot: Spot | None = None) -> SimulatedNode:
        """Put a node on the network (where the settings would have it, if no spot is given), or back on it.

        ConfigError if the number is taken or no node's.
        """
        self.medium.join(node, self.clock.now(), spot)
        port = self._ports[node] = SimulatedNode(self, node)
        return port

    def part(self, port: SimulatedNode) -> None:
        """Take a node off the network (``port.close`` does so)."""
        self._ports.pop(port.node, None)
        self.medium.leave(port.node, self.clock.now())

    def send(self, source: int, octets: bytes, *, to: int, urgent: bool = False) -> None:
        """Send for a node (``port.send`` does so)."""
        self.medium.send(source, to, octets, self.clock.now(), urgent=urgent)
        if not self._settling:
            self._arm()

    def now(self) -> float:
        """Unix seconds of the clock."""
        return self.clock.now()

    def call_at(self, when: float, action: Callable[[], None]) -> Call:
        """Have ``action`` called when the clock stands at ``when``, or at once if that is past."""
        return self.clock.call_at(when, action)

    def run(self, until: float) -> None:
        """Let time pass until ``until``."""
        self.clock.run(until)

    def _arm(self) -> None:
        """Be called when the next transmission ends."""
        due = self.medium.next_due()
        if due is None:
            return
        if self._call is not None:
            if self._due <= due:
                return
            self._call.cancel()
        self._due = due
        self._call = self.clock.call_at(due, self._settle)

    def _settle(self) -> None:
        self._call = None
        self._settling = True
        try:
            for arrival in self.medium.settle(self.clock.now()):
                port = self._ports.get(arrival.node)
                if port is not None:
                    port.hear(
                        FrameHeard(
                            octets=arrival.octets,
                            source=arrival.source,
                            time_s=arrival.time_s,
                            hops=arrival.hops,
                            is_broadcast=arrival.is_broadcast,
                            simulated=True,
                        )
                    )
        finally:
            self._settling = False
            self._arm()
