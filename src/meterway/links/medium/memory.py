"""The simulated radio in memory, on a clock of its own: stations hear to the microsecond what the air lets pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from heapq import heappop, heappush

from meterway.base.errors import LinkError
from meterway.links.medium.air import Air, Aired, AirSettings, AirStatistics, Station
from meterway.links.medium.channel import AirMode
from meterway.links.radio import OnReception, Reception

__all__ = ["SimulatedPort", "SimulatedRadio"]


class SimulatedPort:
    """One station's place on the simulated air. A reception's time is the end of the frame.

    ``refused`` counts frames that were not sent because the share of the band was used up.
    """

    __slots__ = ("_on_reception", "_radio", "refused", "station")

    def __init__(self, radio: SimulatedRadio, station: Station) -> None:
        self.station = station
        self.refused = 0
        self._radio: SimulatedRadio | None = radio
        self._on_reception: OnReception | None = None

    def listen(self, on_reception: OnReception) -> None:
        """Hand every frame heard from now on to ``on_reception``."""
        self._on_reception = on_reception

    def send(self, octets: bytes, *, mode: str, delay_s: float = 0.0) -> None:
        """Send one frame after ``delay_s``; LinkError after ``close``, ConfigError for an unknown mode."""
        if self._radio is None:
            raise LinkError(f"{self.station.name} is off the air")
        radio = self._radio
        if radio.air.transmit(self.station.name, mode, octets, start_s=radio.now + delay_s) is None:
            self.refused += 1

    def close(self) -> None:
        """Hear and send no more."""
        if self._radio is not None:
            self._radio.part(self)
            self._radio = None
        self._on_reception = None

    def hear(self, reception: Reception) -> None:
        """Take a frame from the air."""
        if self._on_reception is not None:
            self._on_reception(reception)


class SimulatedRadio:
    """Stations that hear each other while ``run`` is going on; ``now`` is Unix time and moves only there.

    ``call_at`` puts anything else on the same clock: a meter's next telegram, a gateway's timeout. ``on_aired`` is told
    what became of each frame.
    """

    def __init__(
        self,
        modes: Mapping[str, AirMode],
        settings: AirSettings | None = None,
        *,
        start: float = 0.0,
        on_aired: Callable[[Aired], None] | None = None,
    ) -> None:
        self.air = Air(modes, settings)
        self.now = start
        self._on_aired = on_aired
        self._ports: dict[str, SimulatedPort] = {}
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    @property
    def statistics(self) -> AirStatistics:
        """What was sent, heard and lost."""
        return self.air.statistics

    def join(self, station: Station) -> SimulatedPort:
        """Put a station on the air; ConfigError if its name is taken or a mode is unknown."""
        self.air.join(station)
        port = self._ports[station.name] = SimulatedPort(self, station)
        return port

    def part(self, port: SimulatedPort) -> None:
        """Take a station off the air (``port.close`` does so)."""
        self.air.leave(port.station.name)
        self._ports.pop(port.station.name, None)

    def call_at(self, when: float, action: Callable[[], None]) -> None:
        """Call ``action`` when the clock stands at ``when``; at once in the next ``run`` if that is past."""
        self._count += 1
        heappush(self._calls, (when, self._count, action))

    def run(self, until: float) -> None:
        """Let time pass until ``until``: frames arrive and calls are made in order of time."""
        while (due := self._next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            for aired in self.air.settle(self.now):
                self._deliver(aired)
            while self._calls and self._calls[0][0] <= self.now:
                heappop(self._calls)[2]()
        self.now = max(self.now, until)

    def _next_due(self) -> float | None:
        due = self.air.next_due()
        if not self._calls:
            return due
        return self._calls[0][0] if due is None else min(due, self._calls[0][0])

    def _deliver(self, aired: Aired) -> None:
        if self._on_aired is not None:
            self._on_aired(aired)
        for name, signal in aired.heard:
            port = self._ports.get(name)
            if port is not None:
                port.hear(
                    Reception(
                        octets=aired.octets,
                        mode=aired.transmission.mode,
                        time_s=self.now,
                        rssi_dbm=signal,
                        simulated=True,
                    )
                )
