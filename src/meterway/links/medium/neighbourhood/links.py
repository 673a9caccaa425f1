"""Which nodes hear each other and how well: distance, the pair's own whims, noise by place and time of day. A model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meterway.links.medium.neighbourhood.settings import NeighbourhoodSettings, Spot

__all__ = ["Links", "noise_at", "usual_spot"]

Floats = NDArray[np.float64]
_ROWS: Final = 256
_PAIR, _NODE, _DRIFT, _PLACE = 1, 2, 3, 4


class Links:
    """All pairs of nodes that may hear each other, by the nodes' indices; each node is also paired with itself.

    ``targets[starts[i]:starts[i + 1]]`` are the nodes that hear node ``i``, ``chances`` their chances to get what it
    sends now, ``backs`` the chances the other way. ``hearing[i]`` has a bit for each node that hears ``i`` send (only
    with spatial reuse).
    """

    __slots__ = (
        "_margins",
        "_noises",
        "_numbers",
        "_places",
        "_settings",
        "backs",
        "chances",
        "hearing",
        "starts",
        "targets",
    )

    def __init__(self, settings: NeighbourhoodSettings, numbers: Sequence[int], spots: Sequence[Spot]) -> None:
        self._settings = settings
        self._numbers = np.array(numbers, dtype=np.uint64)
        self._noises = settings.uneven_db * _normals(settings.seed, _NODE, self._numbers)
        self._places = np.array(spots, dtype=np.float64).reshape(len(numbers), 2)
        targets: list[NDArray[np.uint16]] = []
        margins: list[NDArray[np.float16]] = []
        counts: list[NDArray[np.int64]] = []
        self.hearing: list[int] = []
        for first in range(0, max(len(numbers), 1), _ROWS):  # of no nodes one part, which is empty
            rows = slice(first, first + _ROWS)
            margin = self._margin(rows)
            kept = self._kept(rows, margin)
            counts.append(kept.sum(axis=1))
            targets.append(np.nonzero(kept)[1].astype(np.uint16))
            margins.append(margin[kept].astype(np.float16))
            if settings.spatial_reuse:
                self._hear(margin)
        self.targets = np.concatenate(targets)
        self._margins = np.concatenate(margins)
        self.starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
        self.chances = self.backs = np.zeros(0, dtype=np.float32)

    def add(self, number: int, spot: Spot) -> None:
        """Take in one more node, with the next index; ``weigh`` has to follow."""
        index = len(self._numbers)
        self._numbers = np.append(self._numbers, np.uint64(number))
        noise = self._settings.uneven_db * _normals(self._settings.seed, _NODE, self._numbers[index:])
        self._noises = np.append(self._noises, noise)
        self._places = np.append(self._places, np.array([spot], dtype=np.float64), axis=0)
        rows = slice(index, index + 1)
        margin = self._margin(rows)
        heard = np.flatnonzero(self._kept(rows, margin)[0])
        known, margins = heard[:-1], margin[0, heard].astype(np.float16)
        ends = self.starts[known + 1]
        self.targets = np.append(np.insert(self.targets, ends, index), heard.astype(np.uint16))
        self._margins = np.append(np.insert(self._margins, ends, margins[:-1]), margins)
        counts = np.append(np.diff(self.starts), len(heard))
        counts[known] += 1
        self.starts = np.append(0, np.cumsum(counts))
        if self._settings.spatial_reuse:
            self._hear(margin)
            for other in np.flatnonzero(margin[0, :-1] >= self._settings.sense_db).tolist():
                self.hearing[other] |= 1 << index

    def weigh(self, now: float) -> None:
        """Bring ``chances`` and ``backs`` to a time of day."""
        settings = self._settings
        sources = np.repeat(np.arange(len(self._numbers)), np.diff(self.starts))
        if settings.loss is not None:
            self.chances = self.backs = np.full(len(self.targets), 1.0 - settings.loss, dtype=np.float32)
            return
        period = int(now // settings.reroute_s)
        noise = self._noises + noise_at(settings, now)
        noise += settings.drift_db * _normals(settings.seed, _DRIFT, self._numbers, period)
        self.chances = _chance(settings, self._margins - noise[self.targets])
        self.backs = _chance(settings, self._margins - noise[sources])

    def rest(self) -> None:
        """Let go of ``backs``, which only trees need, until it is weighed again."""
        self.backs = np.zeros(0, dtype=np.float32)

    def _margin(self, rows: slice) -> Floats:
        settings, places = self._settings, self._places
        here = places[rows]
        if settings.geometry == "feeders":
            crosses = here[:, None, 0] != places[None, :, 0]
            crosses &= (here[:, None, 1] > 0) & (places[None, :, 1] > 0)
            along = np.abs(here[:, None, 1] - places[None, :, 1])
            distance = np.where(crosses, here[:, None, 1] + places[None, :, 1], along)
            loss = settings.db_per_m * distance + settings.crossing_db * crosses
        else:
            apart = here[:, None, :] - places[None, :, :]
            distance = np.hypot(apart[..., 0], apart[..., 1])
            loss = 10.0 * settings.exponent * np.log10(np.maximum(distance, 1.0))
        one, other = self._numbers[rows, None], self._numbers[None, :]
        pairs = np.minimum(one, other) << np.uint64(16) | np.maximum(one, other)
        margin: Floats = settings.margin_db - loss + settings.shadow_db * _normals(settings.seed, _PAIR, pairs)
        if settings.reach_m:
            margin[distance > settings.reach_m] = -np.inf
        return margin

    def _kept(self, rows: slice, margin: Floats) -> NDArray[np.bool_]:
        """Pairs that are good enough for a route at their best, and each node with itself."""
        settings = self._settings
        if settings.loss is not None and settings.reach_m:
            kept = np.isfinite(margin)
        else:
            quietest = np.minimum(self._noises[rows, None], self._noises[None, :]) + min(settings.noise_db)
            floor = _edge_db(settings) - 3.0 * settings.drift_db
            kept = margin - quietest >= floor
        own = np.arange(margin.shape[0])
        kept[own, own + rows.start] = True
        return kept

    def _hear(self, margin: Floats) -> None:
        heard = np.packbits(margin >= self._settings.sense_db, axis=1, bitorder="little")
        for row in heard:
            self.hearing.append(int.from_bytes(row.tobytes(), "little") | 1 << len(self.hearing))


def noise_at(settings: NeighbourhoodSettings, now: float) -> float:
    """Decibels of noise above the quietest hour at a time of day."""
    hours = (now / 3600.0 + settings.zone_h) % 24.0
    hour = int(hours)
    before, after = settings.noise_db[hour], settings.noise_db[(hour + 1) % 24]
    return before + (after - before) * (hours - hour)


def usual_spot(settings: NeighbourhoodSettings, node: int) -> Spot:
    """Where a node is if nobody says otherwise: coordinators at the transformer (the middle), others by seed."""
    if node in settings.coordinators:
        return (0.0, 0.0)
    if settings.hops:
        step, feeder = divmod(node - sum(other < node for other in settings.coordinators), settings.feeders)
        return (float(feeder), float((step % settings.hops + 1) * (settings.reach_m or 1.0)))
    one, other = _uniforms(settings.seed, _PLACE, np.array([node], dtype=np.uint64), 0)[:, 0].tolist()
    if settings.geometry == "feeders":
        return (float(int(one * settings.feeders)), max(1.0, other * settings.extent_m))
    return ((one - 0.5) * settings.extent_m, (other - 0.5) * settings.extent_m)


def _edge_db(settings: NeighbourhoodSettings) -> float:
    """The margin at which a link is as good as a route needs."""
    least = min(max(settings.least, 1e-6), 1.0 - 1e-6)
    return settings.slope_db * math.log(least / (1.0 - least)) / math.log(3.0)


def _chance(settings: NeighbourhoodSettings, margins: Floats) -> NDArray[np.float32]:
    """The chance of a transmission to arrive: a half at 0 dB, three quarters at ``slope_db``."""
    steep = np.exp(np.clip(-margins * (math.log(3.0) / settings.slope_db), -50.0, 50.0))
    chances: NDArray[np.float32] = (1.0 / (1.0 + steep)).astype(np.float32)
    return chances


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each key made to look random, always the same way (the finaliser of SplitMix64)."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _uniforms(seed: int, kind: int, keys: NDArray[np.uint64], period: int) -> Floats:
    """Two numbers above 0 and at most 1 for each key."""
    salt = _mixed(np.array([(seed * 8 + kind) & (1 << 64) - 1], dtype=np.uint64))
    salt = _mixed(salt ^ np.uint64(period & (1 << 64) - 1))
    first = _mixed(keys + salt)
    both = np.stack([first, _mixed(first ^ salt)])
    numbers: Floats = ((both >> np.uint64(11)) + np.uint64(1)).astype(np.float64) / 2.0**53
    return numbers


def _normals(seed: int, kind: int, keys: NDArray[np.uint64], period: int = 0) -> Floats:
    """A number for each key, normally distributed."""
    one, other = _uniforms(seed, kind, keys, period)
    numbers: Floats = np.sqrt(-2.0 * np.log(one)) * np.cos(2.0 * np.pi * other)
    return numbers
