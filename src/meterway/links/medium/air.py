"""The air as a model: transmissions go in, receptions come out; time is passed in and chance is seeded.

A frame is heard where its signal is strong enough, no disturbing signal on its channel comes within ``capture_db`` of
it while it lasts, and the receiver is not itself sending. What it costs, how long it takes and how often a station may
do so is as the norm says; how far it goes is a model.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Final

from meterway.base.errors import ConfigError, LinkError
from meterway.links.medium.channel import AirMode, Signature, airtime_s, overlap, sensitivity_dbm, signature
from meterway.links.medium.duty import BANDS, Band, DutyCycle
from meterway.links.medium.path import Place, Surroundings

__all__ = ["Air", "AirSettings", "AirStatistics", "Aired", "Station", "Transmission"]

_KEPT_S: Final = 2.0
"""How long a frame that has ended can still disturb one that is told late; no frame lasts longer."""
_LONGEST_OCTETS: Final = 320
_FARTHEST_M: Final = 1e7
_MOST_DB: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A place on the air: where it is, which modes it can hear, how strongly it sends.

    ``loss_db`` is what its own place costs both ways: a pit, a cabinet, a cellar.
    """

    name: str
    place: Place = (0.0, 0.0, 0.0)
    hears: frozenset[str] = frozenset()
    power_dbm: float = 10.0
    loss_db: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AirSettings:
    """What the simulated air does to frames; chances are 0 to 1, and the same seed does the same.

    ``fading_db`` is the spread of a signal from frame to frame. ``lost`` hits a frame at one receiver, ``late`` has all
    hear it up to ``late_s`` later, ``repeated`` has them hear it a second time. Without ``bands`` nobody keeps account
    of time on the air. ``as_received`` makes of the octets what receivers pass on (such as dropping the check sums).
    """

    seed: int = 0
    surroundings: Surroundings = field(default_factory=Surroundings)
    fading_db: float = 2.0
    capture_db: float = 6.0
    lost: float = 0.0
    late: float = 0.0
    late_s: float = 5.0
    repeated: float = 0.0
    bands: tuple[Band, ...] = BANDS
    as_received: Callable[[bytes], bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmission:
    """One frame on the air, from ``start_s`` to ``end_s``."""

    station: str
    mode: str
    octets: bytes
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Aired:
    """What became of a transmission: who heard it and how strongly (dBm), and how many lost it for which cause.

    Causes are ``weak`` (near the limit of range), ``collision``, ``busy`` (was sending) and ``chance``.
    ``repeat`` marks one heard late or again.
    """

    transmission: Transmission
    octets: bytes
    heard: tuple[tuple[str, float], ...]
    lost: Mapping[str, int]
    repeat: str = ""


@dataclass(slots=True, kw_only=True)
class AirStatistics:
    """Counts since the beginning: frames sent, refused for their duty cycle, heard by nobody; receptions; losses."""

    sent: int = 0
    refused: int = 0
    unheard: int = 0
    received: int = 0
    late: int = 0
    repeated: int = 0
    airtime_s: float = 0.0
    lost: Counter[str] = field(default_factory=Counter)


class _Band:
    """The frames of one frequency that may still matter, by their start."""

    __slots__ = ("frames", "longest_s")

    def __init__(self) -> None:
        self.frames: list[tuple[float, int, Transmission]] = []
        self.longest_s = 0.0

    def add(self, number: int, frame: Transmission) -> None:
        """Take a frame in."""
        insort(self.frames, (frame.start_s, number, frame))
        self.longest_s = max(self.longest_s, frame.end_s - frame.start_s)

    def during(self, start_s: float, end_s: float) -> list[Transmission]:
        """Frames that are on the air at some time between the two."""
        first = bisect_left(self.frames, (start_s - self.longest_s, 0))
        last = bisect_left(self.frames, (end_s, 0))
        return [frame for _, _, frame in self.frames[first:last] if frame.end_s > start_s]


class Air:
    """Stations and what they send. ``modes`` says how each mode is sent; times are Unix seconds and never go back.

    ``transmit`` takes a frame, ``settle`` tells what became of those that ended, ``next_due`` when to call it.
    """

    def __init__(self, modes: Mapping[str, AirMode], settings: AirSettings | None = None) -> None:
        self.settings = settings or AirSettings()
        self.statistics = AirStatistics()
        self._modes = modes
        self._random = Random(self.settings.seed)  # noqa: S311  a simulation, to be repeatable
        self._stations: dict[str, Station] = {}
        self._duty: dict[str, DutyCycle] = {}
        self._own: dict[str, list[Transmission]] = {}
        self._tuned: dict[Signature, dict[str, Station]] = {}
        self._bands: dict[int, _Band] = {}
        self._flight: list[tuple[float, int, Transmission]] = []
        self._echoes: list[tuple[float, int, Aired]] = []
        self._count = 0
        self._signals: dict[tuple[str, str, int], float] = {}
        self._powers: dict[tuple[str, str, int], float] = {}
        self._near: dict[tuple[str, str], list[tuple[str, float]]] = {}

    @property
    def stations(self) -> Mapping[str, Station]:
        """Who is on the air, by name."""
        return self._stations

    def join(self, station: Station) -> None:
        """Put a station on the air; ConfigError if its name is taken, a mode unknown, a place or power unusable."""
        if station.name in self._stations:
            raise ConfigError(f"a station {station.name!r} is already on the air")
        if not all(abs(metres) <= _FARTHEST_M for metres in station.place):
            raise ConfigError(f"station {station.name!r} is not within {_FARTHEST_M:g} m")
        if not (abs(station.power_dbm) <= _MOST_DB and 0.0 <= station.loss_db <= _MOST_DB):
            raise ConfigError(f"power and loss of station {station.name!r} are not within {_MOST_DB:g} dB")
        tuned = {signature(self._mode(mode)) for mode in station.hears}
        self._stations[station.name] = station
        for channel in tuned:
            self._tuned.setdefault(channel, {})[station.name] = station
        self._near.clear()

    def leave(self, name: str) -> None:
        """Take a station off the air; its account of time on the air is kept. Its frames under way are lost."""
        if self._stations.pop(name, None) is None:
            return
        for tuned in self._tuned.values():
            tuned.pop(name, None)
        self._near.clear()
        self._signals.clear()
        self._powers.clear()

    def transmit(self, name: str, mode: str, octets: bytes, *, start_s: float) -> Transmission | None:
        """Send a frame; None if the station has used up its share of the band.

        A station that is sending at that time sends right after. LinkError if there is no such station, ConfigError if
        there is no such mode, LinkError if the frame is empty or too long.
        """
        if name not in self._stations:
            raise LinkError(f"no station {name!r} is on the air")
        if not 0 < len(octets) <= _LONGEST_OCTETS:
            raise LinkError(f"a frame has 1 to {_LONGEST_OCTETS} octets, not {len(octets)}")
        radio = self._mode(mode)
        lasts = airtime_s(radio, octets)
        own = self._own.setdefault(name, [])
        for other in own:
            if other.start_s < start_s + lasts and start_s < other.end_s:
                start_s = other.end_s
        if not self._duty.setdefault(name, DutyCycle(self.settings.bands)).spend(radio.frequency_hz, lasts, start_s):
            self.statistics.refused += 1
            return None
        frame = Transmission(station=name, mode=mode, octets=octets, start_s=start_s, end_s=start_s + lasts)
        self._launch(frame, radio)
        insort(own, frame, key=lambda sent: sent.start_s)
        return frame

    def next_due(self) -> float | None:
        """When the next frame has arrived."""
        times = [heap[0][0] for heap in (self._flight, self._echoes) if heap]
        return min(times, default=None)

    def settle(self, now: float) -> list[Aired]:
        """What became of all that ended by ``now``, in order of time."""
        out = []
        while (due := self.next_due()) is not None and due <= now:
            if self._flight and self._flight[0][0] == due:
                aired = self._resolve(heappop(self._flight)[2])
                if aired is not None:
                    out.append(aired)
            else:
                out.append(heappop(self._echoes)[2])
        return out

    def signal_dbm(self, sender: str, receiver: str, mode: str) -> float:
        """The mean signal of one station at another; LinkError if one of them is not on the air."""
        try:
            return self._signal(sender, self._stations[receiver], self._mode(mode).frequency_hz)
        except KeyError as error:
            raise LinkError(f"no station {error.args[0]!r} is on the air") from None

    def used_s(self, name: str, mode: str, now: float) -> float:
        """Seconds a station was on the air in the band of a mode within the last hour."""
        account = self._duty.get(name)
        return 0.0 if account is None else account.used_s(self._mode(mode).frequency_hz, now)

    def _mode(self, name: str) -> AirMode:
        try:
            return self._modes[name]
        except KeyError:
            raise ConfigError(f"{name!r} is no radio mode: {', '.join(self._modes)}") from None

    def _launch(self, frame: Transmission, radio: AirMode) -> None:
        self._count += 1
        self.statistics.sent += 1
        self.statistics.airtime_s += frame.end_s - frame.start_s
        band = self._bands.get(radio.frequency_hz)
        if band is None:
            band = self._bands[radio.frequency_hz] = _Band()
        band.add(self._count, frame)
        heappush(self._flight, (frame.end_s, self._count, frame))

    def _resolve(self, frame: Transmission) -> Aired | None:
        """Who heard a frame that has ended, and whether they hear it now."""
        radio = self._modes[frame.mode]
        settings, chance = self.settings, self._random
        rivals = self._rivals(frame, radio.frequency_hz)
        heard: list[tuple[str, float]] = []
        lost: Counter[str] = Counter()
        floor = sensitivity_dbm(radio)
        for name, mean in self._in_range(frame, radio):
            signal = mean + chance.gauss(0.0, settings.fading_db) if settings.fading_db else mean
            cause = self._lost_at(name, signal, floor, frame, rivals, radio.frequency_hz)
            if cause:
                lost[cause] += 1
            else:
                heard.append((name, round(signal, 1)))
        self._forget(frame, radio.frequency_hz)
        self.statistics.lost.update(lost)
        self.statistics.received += len(heard)
        self.statistics.unheard += not heard
        octets = settings.as_received(frame.octets) if settings.as_received else frame.octets
        return self._echo(Aired(transmission=frame, octets=octets, heard=tuple(heard), lost=lost))

    def _lost_at(
        self, name: str, signal: float, floor: float, frame: Transmission, rivals: list[Transmission], frequency_hz: int
    ) -> str:
        """Why one receiver did not get a frame; empty if it did."""
        if signal < floor:
            return "weak"
        for own in self._own.get(name, ()):
            if own.start_s < frame.end_s and own.end_s > frame.start_s:
                return "busy"
        if rivals and name in self._stations:
            noise_dbm = self._noise_dbm(rivals, self._stations[name], frequency_hz)
            if signal - noise_dbm < self.settings.capture_db:
                return "collision"
        return "chance" if self.settings.lost and self._random.random() < self.settings.lost else ""

    def _noise_dbm(self, rivals: list[Transmission], receiver: Station, frequency_hz: int) -> float:
        """The sum of what other frames bring to a receiver."""
        total, powers, name = 1e-30, self._powers, receiver.name
        for rival in rivals:
            key = (rival.station, name, frequency_hz)
            power = powers.get(key)
            if power is None:
                power = powers[key] = 10.0 ** (self._signal(rival.station, receiver, frequency_hz) / 10.0)
            total += power
        return 10.0 * math.log10(total)

    def _rivals(self, frame: Transmission, frequency_hz: int) -> list[Transmission]:
        """Other frames on the air at the same time near the same frequency."""
        return [
            other
            for frequency, band in self._bands.items()
            if overlap(frequency, frequency_hz)
            for other in band.during(frame.start_s, frame.end_s)
            if other is not frame
        ]

    def _signal(self, sender: str, receiver: Station, frequency_hz: int) -> float:
        key = (sender, receiver.name, frequency_hz)
        signal = self._signals.get(key)
        if signal is None:
            station = self._stations.get(sender)
            if station is None:
                return -200.0
            loss = self.settings.surroundings.loss_db(station.place, receiver.place, frequency_hz)
            signal = self._signals[key] = station.power_dbm - station.loss_db - receiver.loss_db - loss
        return signal

    def _in_range(self, frame: Transmission, radio: AirMode) -> list[tuple[str, float]]:
        """Receivers that may hear a station in a mode, and its mean signal there."""
        key = (frame.station, frame.mode)
        near = self._near.get(key)
        if near is None:
            near = self._near[key] = self._search(frame.station, radio)
        return near

    def _search(self, name: str, radio: AirMode) -> list[tuple[str, float]]:
        sender = self._stations.get(name)
        if sender is None:
            return []
        least = sensitivity_dbm(radio) - 3.0 * self.settings.fading_db
        reach = self.settings.surroundings.reach_m(sender.power_dbm - sender.loss_db - least, radio.frequency_hz)
        out = []
        for receiver in self._tuned.get(signature(radio), {}).values():
            if receiver is not sender and math.dist(sender.place, receiver.place) <= reach:
                signal = self._signal(name, receiver, radio.frequency_hz)
                if signal >= least:
                    out.append((receiver.name, signal))
        return out

    def _echo(self, aired: Aired) -> Aired | None:
        """Hand a frame out now, later or twice."""
        settings, chance = self.settings, self._random.random
        if not aired.heard:
            return aired
        if settings.repeated and chance() < settings.repeated:
            self.statistics.repeated += 1
            self._later(aired, "repeated")
        if settings.late and chance() < settings.late:
            self.statistics.late += 1
            self._later(aired, "late")
            return None
        return aired

    def _later(self, aired: Aired, repeat: str) -> None:
        self._count += 1
        due = aired.transmission.end_s + self._random.random() * self.settings.late_s
        again = Aired(
            transmission=aired.transmission, octets=aired.octets, heard=aired.heard, lost=aired.lost, repeat=repeat
        )
        heappush(self._echoes, (due, self._count, again))

    def _forget(self, frame: Transmission, frequency_hz: int) -> None:
        """Drop frames that can meet no other any more."""
        over = frame.end_s - 2.0 * _KEPT_S
        frames = self._bands[frequency_hz].frames
        if frames[0][0] < over - _KEPT_S:
            del frames[: bisect_left(frames, (over, 0))]
        own = self._own[frame.station]
        while own and own[0].end_s < over:
            del own[0]
