"""How big a town is, and how its meters are called. Light: the command line reads it before anything is started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.errors import ConfigError

__all__ = ["MAX_HOMES", "MAX_METERS", "MAX_NEIGHBOURS", "Street", "TownPlan", "serial_of"]

MAX_METERS: Final = 9000
"""One file descriptor a meter's port: what one process may open on common machines."""
MAX_HOMES: Final = 50
"""Homes that one process and one simulated air hold without their meters drowning each other."""
MAX_NEIGHBOURS: Final = 50
"""Meters that join and are read on one simulated neighbourhood network while somebody waits for a demonstration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TownPlan:
    """How big the town is. ``push_port`` is where its meters send alarms, 0 nowhere.

    ``homes`` have a gateway (LNAP) and gas, water and heat meters behind it. ``neighbours`` are meters on a
    neighbourhood network behind a concentrator (NNAP), with two gateways and a further concentrator there; 0: none.
    """

    meters: int = 200
    displays: int = 10
    homes: int = 0
    neighbours: int = 0
    push_port: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.meters <= MAX_METERS:
            raise ConfigError(f"a town on one machine has 1 to {MAX_METERS} meters, not {self.meters}")
        if not self.displays >= 0:
            raise ConfigError(f"{self.displays} displays")
        if not 0 <= self.homes <= MAX_HOMES:
            raise ConfigError(f"a town on one machine has 0 to {MAX_HOMES} homes, not {self.homes}")
        if not 0 <= self.neighbours <= MAX_NEIGHBOURS:
            raise ConfigError(f"a town on one machine has 0 to {MAX_NEIGHBOURS} neighbours, not {self.neighbours}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """How one meter of the town is reached, as the street's process reports it."""

    serial: str
    system_title: str
    transport: str
    port: int
    server: int
    profile: str
    h1_port: int = 0


def serial_of(number: int) -> str:
    """The serial of the town's meter ``number`` (1 the first): ``M0007``."""
    return f"M{number:04d}"
