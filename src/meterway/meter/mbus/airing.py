"""Many meters on the air: who speaks next, and who is meant by what is heard. The time comes in, ports are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from heapq import heapify, heappop, heappush

from meterway.base.errors import DecodeError, LinkError
from meterway.links.radio import RadioPort, Reception
from meterway.meter.mbus.device import MbusMeter
from meterway.meter.mbus.radio import Outgoing, RadioMeter
from meterway.stacks.mbus.telegram import sender_of
from meterway.stacks.mbus.wireless.frames import decode_radio, from_meter

__all__ = ["Airing"]


class Airing:
    """Meters, each with its place on the air; several may share a port.

    ``keep`` is called before anything a meter made goes out. ``unsent`` counts frames that found no line to the air.
    """

    def __init__(
        self,
        meters: Iterable[MbusMeter],
        port_of: Callable[[MbusMeter], RadioPort],
        now: float,
        *,
        keep: Callable[[MbusMeter], None] = lambda _: None,
        grace_s: float = 0.0,
    ) -> None:
        self.radios: dict[str, RadioMeter] = {}
        self.unsent = 0
        self._keep = keep
        self._ports: dict[str, RadioPort] = {}
        self._heap: list[tuple[float, str]] = []
        heard: dict[int, RadioPort] = {}
        for meter in meters:
            name = str(meter.address)
            radio = self.radios[name] = RadioMeter(meter, now, grace_s=grace_s)
            port = self._ports[name] = port_of(meter)
            if id(port) not in heard:
                heard[id(port)] = port
                port.listen(partial(self._heard, port))
            self._heap.append((radio.next_s, name))
        heapify(self._heap)

    def next_due(self) -> float | None:
        """When somebody next speaks, Unix seconds."""
        return self._heap[0][0] if self._heap else None

    def run(self, now: float) -> None:
        """Let everybody speak whose time has come."""
        while self._heap and self._heap[0][0] <= now:
            _, name = heappop(self._heap)
            radio = self.radios[name]
            self._send(name, radio.due(now))
            heappush(self._heap, (max(radio.next_s, now + 0.001), name))

    def wake(self, name: str, now: float) -> None:
        """Something happened to this meter: it may want to speak at once."""
        others = [entry for entry in self._heap if entry[1] != name]
        self._heap = [*others, (now, name)]
        heapify(self._heap)

    def close(self) -> None:
        """Leave the air."""
        for port in {id(port): port for port in self._ports.values()}.values():
            port.close()

    def _send(self, name: str, frames: Iterable[Outgoing]) -> None:
        for frame in frames:
            self._keep(self.radios[name].meter)
            try:
                self._ports[name].send(frame.octets, mode=frame.mode, delay_s=frame.delay_s)
            except LinkError:
                self.unsent += 1

    def _heard(self, port: RadioPort, reception: Reception) -> None:
        """Hand a partner's frame to the meter it names; frames of other meters are nobody's."""
        try:
            if from_meter(decode_radio(reception.octets).control):
                return
            named = sender_of(reception.octets, link="radio")
        except DecodeError:
            return
        name = str(named)
        radio = self.radios.get(name)
        if radio is not None and self._ports[name] is port:
            self._send(name, radio.hear(reception))
