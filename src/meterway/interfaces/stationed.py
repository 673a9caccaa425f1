"""A station on its node: frames both ways and timeouts, on the medium's clock, real or virtual."""

from __future__ import annotations

from collections.abc import Callable

from meterway.links.node import FrameHeard, NodeClock, NodePort, NodeTimer
from meterway.stacks.neighbourhood.station import Station, StationEvent

__all__ = ["Stationed"]


class Stationed:
    """Drives a station. Who uses the station from outside calls ``flush`` afterwards; within ``on_event`` not."""

    __slots__ = ("_busy", "_clock", "_on_event", "_port", "_timer", "station")

    def __init__(
        self, station: Station, port: NodePort, clock: NodeClock, on_event: Callable[[StationEvent], None]
    ) -> None:
        self.station = station
        self._port = port
        self._clock = clock
        self._on_event = on_event
        self._timer = NodeTimer(clock, self._fire)
        self._busy = False
        port.listen(self._heard)

    def start(self) -> None:
        """Let the station begin."""
        self.station.start(self._clock.now())
        self.flush()

    def close(self) -> None:
        """Leave the medium without a word."""
        self._timer.cancel()
        self._port.close()

    def flush(self) -> None:
        """Hand out what happened, send what is to be sent, set the timer."""
        if self._busy:
            return
        self._busy = True
        station = self.station
        try:
            while True:
                while (event := station.next_event()) is not None:
                    self._on_event(event)
                frames = station.frames_to_send()
                if not frames:
                    break
                for frame in frames:
                    self._port.send(frame.octets, to=frame.to, urgent=frame.urgent)
        finally:
            self._busy = False
        self._timer.set(self.station.next_timeout())

    def _heard(self, frame: FrameHeard) -> None:
        self.station.receive_frame(frame.octets, frame.source, self._clock.now(), is_broadcast=frame.is_broadcast)
        self.flush()

    def _fire(self) -> None:
        now, due = self._clock.now(), self.station.next_timeout()
        if due is not None and due <= now:
            self.station.handle_timeout(now)
        self.flush()
