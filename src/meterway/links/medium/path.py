"""How much of a signal is left on its way: distance, walls, floors and the place's own whims. A model, seeded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Final

__all__ = ["Place", "Surroundings", "Wall"]

_METRE_LOSS_868_DB: Final = 31.2
"""Loss over the first metre in free space at 868 MHz."""

Place = tuple[float, float, float]
"""East, north and up in metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """An upright wall from ``start`` to ``end`` (east and north in metres), as high as the sky."""

    start: tuple[float, float]
    end: tuple[float, float]
    loss_db: float = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What stands between stations.

    ``exponent`` is how steeply a signal falls with distance (2 in free space, about 3 among houses), ``shadow_db`` the
    spread from one pair of places to another (the same for each frame, by ``seed``), ``floor_db`` the loss of each
    ceiling, one every ``floor_height_m``.
    """

    seed: int = 0
    exponent: float = 3.0
    shadow_db: float = 4.0
    walls: tuple[Wall, ...] = ()
    floor_db: float = 12.0
    floor_height_m: float = 3.0

    def loss_db(self, one: Place, other: Place, frequency_hz: int) -> float:
        """Loss between two places, the same both ways."""
        distance = max(1.0, math.dist(one, other))
        loss = (
            _METRE_LOSS_868_DB + 20.0 * math.log10(frequency_hz / 868e6) + 10.0 * self.exponent * math.log10(distance)
        )
        for wall in self.walls:
            if _cross(one, other, wall):
                loss += wall.loss_db
        loss += self.floor_db * abs(self._floor(one) - self._floor(other))
        return loss + self._shadow(one, other)

    def reach_m(self, budget_db: float, frequency_hz: int) -> float:
        """The distance at which ``budget_db`` are surely used up: the most favourable shadow, no wall."""
        left = budget_db + 4.0 * self.shadow_db - _METRE_LOSS_868_DB - 20.0 * math.log10(frequency_hz / 868e6)
        return float(10.0 ** (left / (10.0 * self.exponent)))

    def _floor(self, place: Place) -> int:
        return math.floor(place[2] / self.floor_height_m)

    def _shadow(self, one: Place, other: Place) -> float:
        if not self.shadow_db:
            return 0.0
        near, far = sorted((_plain(one), _plain(other)))
        drawn = Random(f"{self.seed} {near} {far}").gauss(0.0, self.shadow_db)  # noqa: S311  a simulation
        return max(-4.0 * self.shadow_db, drawn)


def _plain(place: Place) -> Place:
    """The same place without negative zeros, which would be written differently."""
    return place[0] + 0.0, place[1] + 0.0, place[2] + 0.0


def _side(start: tuple[float, float], end: tuple[float, float], point: tuple[float, float]) -> float:
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])


def _cross(one: Place, other: Place, wall: Wall) -> bool:
    """Whether the way between two places goes through a wall, seen from above."""
    here, there = one[:2], other[:2]
    return (
        _side(wall.start, wall.end, here) * _side(wall.start, wall.end, there) < 0
        and _side(here, there, wall.start) * _side(here, there, wall.end) <= 0
    )
