"""A line in memory on which two engines meet, on a clock of its own: deterministic, with faults on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random
from typing import Any, TypeVar

from meterway.base.engine import Engine

__all__ = ["MemoryLine", "SimulatedFaults"]

EventT = TypeVar("EventT")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedFaults:
    """What a simulated line does to octets; chances are 0 to 1, and the same seed does the same.

    ``lost`` and ``repeated`` hit a whole write, ``octet_lost``, ``octet_repeated`` and ``octet_damaged`` single
    octets. Order is kept. ``delay_s`` is the time from one end to the other.
    """

    seed: int
    lost: float = 0.0
    repeated: float = 0.0
    octet_lost: float = 0.0
    octet_repeated: float = 0.0
    octet_damaged: float = 0.0
    delay_s: float = 0.0


class MemoryLine:
    """Two engines, ``left`` and ``right``, whose octets reach each other while ``settle`` or ``run`` is going on.

    ``now`` is the line's own clock in seconds; it only moves in ``run`` and by the delay of simulated faults.
    Events go to ``on_left`` and ``on_right`` (which may use their engine), or are collected in ``left_events``
    and ``right_events``.
    """

    def __init__(
        self,
        left: Engine[Any],
        right: Engine[Any],
        *,
        on_left: Callable[[Any], None] | None = None,
        on_right: Callable[[Any], None] | None = None,
        faults: SimulatedFaults | None = None,
        start: float = 0.0,
    ) -> None:
        self.now = start
        self.left_events: list[Any] = []
        self.right_events: list[Any] = []
        self.octets_carried = 0
        self._ends = (left, right)
        self._sinks = (on_left or self.left_events.append, on_right or self.right_events.append)
        self._faults = faults
        self._random = Random(faults.seed if faults else 0)  # noqa: S311  a simulation, to be repeatable
        self._flight: list[tuple[float, int, int, bytes]] = []
        self._count = 0

    def settle(self, *, limit: int = 100_000) -> None:
        """Deliver until nothing is under way; no timeouts. At most ``limit`` deliveries."""
        self._exchange()
        while self._flight and limit:
            limit -= 1
            self._deliver()

    def run(self, until: float) -> None:
        """Deliver and fire timeouts in order of time until ``until``."""
        self._exchange()
        while (due := self._next_due()) is not None and due <= until:
            if self._flight and self._flight[0][0] <= due:
                self._deliver()
            else:
                self._fire(due)
        self.now = max(self.now, until)

    def close(self) -> None:
        """Close the line: both engines get empty data."""
        self._flight.clear()
        for engine in self._ends:
            engine.receive_data(b"", self.now)
        self._exchange()

    def _next_due(self) -> float | None:
        times = [due for engine in self._ends if (due := engine.next_timeout()) is not None]
        if self._flight:
            times.append(self._flight[0][0])
        return min(times, default=None)

    def _deliver(self) -> None:
        due, _, side, octets = heappop(self._flight)
        self.now = max(self.now, due)
        self._ends[side].receive_data(octets, self.now)
        self._exchange()

    def _fire(self, due: float) -> None:
        self.now = max(self.now, due)
        for engine in self._ends:
            wanted = engine.next_timeout()
            if wanted is not None and wanted <= self.now:
                engine.handle_timeout(self.now)
        self._exchange()

    def _exchange(self) -> None:
        """Hand out events and pick up octets until both engines are quiet."""
        moved = True
        while moved:
            moved = False
            for side, engine in enumerate(self._ends):
                while (event := engine.next_event()) is not None:
                    self._sinks[side](event)
                    moved = True
                octets = engine.data_to_send()
                if octets:
                    self._launch(1 - side, octets)
                    moved = True

    def _launch(self, side: int, octets: bytes) -> None:
        self.octets_carried += len(octets)
        faults, chance = self._faults, self._random.random
        delay = 0.0
        if faults is not None:
            delay = faults.delay_s
            if chance() < faults.lost:
                return
            if chance() < faults.repeated:
                octets += octets
            octets = self._worn(octets, faults)
        if octets:
            self._count += 1
            heappush(self._flight, (self.now + delay, self._count, side, octets))

    def _worn(self, octets: bytes, faults: SimulatedFaults) -> bytes:
        if not (faults.octet_lost or faults.octet_repeated or faults.octet_damaged):
            return octets
        chance = self._random.random
        worn = bytearray()
        for octet in octets:
            if chance() < faults.octet_lost:
                continue
            value = octet ^ 1 << self._random.randrange(8) if chance() < faults.octet_damaged else octet
            worn.append(value)
            if chance() < faults.octet_repeated:
                worn.append(value)
        return bytes(worn)
