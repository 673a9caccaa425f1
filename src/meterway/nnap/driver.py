"""The concentrator on its node of the medium: frames, timeouts and the clock, real or virtual."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meterway.interfaces.stationed import Stationed
from meterway.links.node import FrameHeard, NodeClock, NodePort, NodeTimer, OnFrame
from meterway.nnap.device import Concentrator
from meterway.stacks.neighbourhood.station import StationEvent

__all__ = ["Driver"]

_SLACK_S: Final = 1e-3


class _Watched:
    """A port that notes over how many links the last frame of each node came."""

    def __init__(self, port: NodePort, hops: dict[int, int]) -> None:
        self._port = port
        self._hops = hops
        self.send = port.send
        self.close = port.close

    @property
    def node(self) -> int:
        """The port's number."""
        return self._port.node

    def listen(self, on_frame: OnFrame) -> None:
        """Hand every frame on, noted."""

        def heard(frame: FrameHeard) -> None:
            self._hops[frame.source] = frame.hops
            on_frame(frame)

        self._port.listen(heard)


class Driver:
    """Runs a concentrator on a port and a clock. ``call`` is how anybody else has it do something."""

    def __init__(self, concentrator: Concentrator, port: NodePort, clock: NodeClock) -> None:
        self.concentrator = concentrator
        self.clock = clock
        self.hops: dict[int, int] = {}
        """By number of a node, the links its last frame took."""
        self.stationed = Stationed(concentrator.station, _Watched(port, self.hops), clock, self._event)
        self._timer = NodeTimer(self.clock, self._turn)
        self._closed = False

    def start(self) -> None:
        """Open the network and begin."""
        self.stationed.start()
        self._turn()

    def close(self) -> None:
        """Stop without a word."""
        self._closed = True
        self._timer.cancel()
        self.stationed.close()

    def call(self, action: Callable[[Concentrator, float], None]) -> None:
        """Have the concentrator do something now, and send what comes of it."""
        try:
            action(self.concentrator, self.clock.now())
        finally:
            self.stationed.flush()
            self._set_timer()

    def _event(self, event: StationEvent) -> None:
        self.concentrator.take(event, self.clock.now())
        member = getattr(event, "eui", None)
        node = self.concentrator.roll.nodes.get(member) if isinstance(member, bytes) else None
        if node is not None and node.member is not None and node.link is None:  # else its route tells
            node.hops = self.hops.get(node.member.node, node.hops)
        self._set_timer()

    def _turn(self) -> None:
        if self._closed:
            return
        now = self.clock.now()
        if self.concentrator.next_timeout() <= now + _SLACK_S:
            self.concentrator.handle_timeout(now + _SLACK_S)
            self.stationed.flush()
        self._set_timer()

    def _set_timer(self) -> None:
        if not self._closed:
            self._timer.set(self.concentrator.next_timeout())
