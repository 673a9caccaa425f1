"""A node's place on a simulated network, in memory or through a hub's socket."""

from __future__ import annotations

from typing import Protocol

from meterway.base.errors import LinkError
from meterway.links.medium.neighbourhood.records import Arrival
from meterway.links.node import FrameHeard, OnFrame

__all__ = ["Network", "NodePlace"]


class Network(Protocol):
    """What a place needs of the network it is on."""

    def send(self, source: int, octets: bytes, *, to: int, urgent: bool = False) -> None:
        """Send for a node."""

    def part(self, place: NodePlace) -> None:
        """Take a node off the network."""


class NodePlace:
    """One node's place: a ``NodePort``."""

    __slots__ = ("_network", "_node", "_on_frame")

    def __init__(self, network: Network, node: int) -> None:
        self._network: Network | None = network
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
        """Send one frame to a node or to ``BROADCAST``; LinkError after ``close`` or when the network is gone.

        A frame that is too long is a LinkError in memory; through a hub, that says so later, one of its ``problems``.
        """
        if self._network is None:
            raise LinkError(f"node {self._node} is not on the network")
        self._network.send(self._node, octets, to=to, urgent=urgent)

    def close(self) -> None:
        """Vanish from the network: hear and send no more. ``join`` with the same number comes back."""
        network, self._network, self._on_frame = self._network, None, None
        if network is not None:
            network.part(self)

    def hear(self, arrival: Arrival) -> None:
        """Take a frame from the medium."""
        if self._on_frame is not None:
            self._on_frame(
                FrameHeard(
                    octets=arrival.octets,
                    source=arrival.source,
                    time_s=arrival.time_s,
                    hops=arrival.hops,
                    is_broadcast=arrival.is_broadcast,
                    simulated=True,
                )
            )
