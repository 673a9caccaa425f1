"""A simulated two-wire bus: slaves' engines behind one line on which a master asks and answers collide.

The bus has the shape of an engine itself: what the master sends goes in, what the master hears comes out. A TCP port or
a pty (``bus_ports``) or a line in memory puts a master before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from meterway.base.engine import Engine
from meterway.links.medium.wired import BITS, overlay

__all__ = ["Attachment", "BusSettings", "BusStatistics", "SimulatedBus", "SpeedChange"]

_QUIET_BITS: Final = 33
_QUIET_EXTRA_S: Final = 0.1
_CHUNK_S: Final = 0.01
"""In real time octets are handed over one by one, or this much of them at once."""


class SpeedChange(Protocol):
    """The one event of a slave: its master switched it to another speed."""

    @property
    def baud(self) -> int:
        """Bits a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusSettings:
    """How the line behaves; chances are 0 to 1, and the same seed does the same.

    With ``real_time`` every octet takes its eleven bit times and slaves their time to answer, else answers are there at
    once. A slave answers after ``answer_bits`` bit times, drawn anew each time (the norm allows 11 to 330 and 50 ms).
    ``echo`` gives the master back what it sent, as some converters do; ``drop_bad_parity`` is a converter that checks.
    ``damaged`` hits single octets in both directions, ``lost`` a whole answer.
    """

    seed: int = 0
    baud: int = 2400
    real_time: bool = False
    answer_bits: tuple[int, int] = (11, 110)
    echo: bool = False
    drop_bad_parity: bool = False
    damaged: float = 0.0
    lost: float = 0.0


@dataclass(slots=True, kw_only=True)
class BusStatistics:
    """Counts since the beginning."""

    octets_from_master: int = 0
    octets_to_master: int = 0
    answers: int = 0
    collisions: int = 0
    lost: int = 0
    damaged: int = 0


class Attachment:
    """A slave on the bus; ``baud`` is the speed it listens at."""

    __slots__ = ("baud", "engine")

    def __init__(self, engine: Engine[SpeedChange], baud: int) -> None:
        self.engine = engine
        self.baud = baud


class SimulatedBus:
    """One line, one master, up to hundreds of slaves. ``baud`` is the speed of the master and may be changed any time.

    A slave that listens at another speed hears nothing.
    """

    def __init__(self, settings: BusSettings | None = None) -> None:
        self.settings = settings or BusSettings()
        self.statistics = BusStatistics()
        self.baud = self.settings.baud
        self.slaves: list[Attachment] = []
        self._random = Random(self.settings.seed)  # noqa: S311  a simulation, to be repeatable
        self._out = bytearray()
        self._queue: deque[tuple[float, bytes]] = deque()
        self._free_s = 0.0
        self._heard_s = 0.0

    def attach(self, engine: Engine[SpeedChange], *, baud: int = 2400) -> Attachment:
        """Connect a slave."""
        attachment = Attachment(engine, baud)
        self.slaves.append(attachment)
        return attachment

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the master; empty data says that the master is gone: what it has not heard is forgotten."""
        if not data:
            self._queue.clear()
            self._out.clear()
            return
        self.statistics.octets_from_master += len(data)
        if now - self._heard_s > _QUIET_BITS / self.baud + _QUIET_EXTRA_S:
            for slave in self.slaves:
                slave.engine.handle_timeout(now)
        self._heard_s = now
        begin = max(self._free_s, now)
        self._free_s = begin + len(data) * BITS / self.baud
        if self.settings.echo:
            self._give(data, begin)
        self._answer(self._worn(data), now)

    def next_event(self) -> None:
        """A bus has nothing to tell."""

    def data_to_send(self) -> bytes:
        """What the master hears now; each octet is returned once."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def next_timeout(self) -> float | None:
        """When the master hears more."""
        return self._queue[0][0] if self._queue else None

    def handle_timeout(self, now: float) -> None:
        """Let the master hear what has come so far."""
        while self._queue and self._queue[0][0] <= now:
            self._hand_over(self._queue.popleft()[1])

    def _answer(self, data: bytes, now: float) -> None:
        """Let all slaves hear the master, and the master all their answers at once."""
        streams = list(self._streams(data, now))
        if not streams:
            return
        self.statistics.answers += len(streams)
        begin = self._free_s + min(wait for wait, _ in streams) / self.baud
        if len(streams) == 1:
            heard = streams[0][1]
        else:
            self.statistics.collisions += 1
            first = min(wait for wait, _ in streams)
            shifted = [(wait - first, octets) for wait, octets in streams]
            heard = overlay(shifted, drop_bad=self.settings.drop_bad_parity)
        self._free_s = begin + len(heard) * BITS / self.baud
        self._give(self._worn(heard), begin)

    def _streams(self, data: bytes, now: float) -> Iterator[tuple[int, bytes]]:
        """What each slave sends, and how many bit times later."""
        low, high = self.settings.answer_bits
        for slave in self.slaves:
            if slave.baud != self.baud:
                continue
            slave.engine.receive_data(data, now)
            octets = slave.engine.data_to_send()
            while (event := slave.engine.next_event()) is not None:
                slave.baud = event.baud
            if octets and self.settings.lost and self._random.random() < self.settings.lost:
                self.statistics.lost += 1
            elif octets:
                yield self._random.randint(low, high), octets

    def _give(self, octets: bytes, begin: float) -> None:
        """Let the master hear octets that begin at a time: at once, or as they come."""
        if not self.settings.real_time:
            self._hand_over(octets)
            return
        size = max(1, int(_CHUNK_S * self.baud / BITS))
        for place in range(0, len(octets), size):
            chunk = octets[place : place + size]
            self._queue.append((begin + (place + len(chunk)) * BITS / self.baud, chunk))

    def _hand_over(self, octets: bytes) -> None:
        self.statistics.octets_to_master += len(octets)
        self._out += octets

    def _worn(self, octets: bytes) -> bytes:
        """Octets as they come through a noisy line."""
        chance = self.settings.damaged
        if not chance:
            return octets
        worn = bytearray(octets)
        for place in range(len(worn)):
            if self._random.random() < chance:
                worn[place] ^= 1 << self._random.randrange(8)
                self.statistics.damaged += 1
        return bytes(worn)
