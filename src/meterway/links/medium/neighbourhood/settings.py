"""What a simulated neighbourhood network is like: how fast, how far, how noisy. Every number is a model's."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal

from meterway.base.errors import ConfigError

__all__ = ["PRESETS", "NeighbourhoodSettings", "Spot", "preset"]

Spot = tuple[float, float]
"""Where a node is: feeder number and metres along it, or metres east and north."""

_HOUSEHOLDS: Final = (1, 0, 0, 0, 0, 1, 3, 4, 4, 3, 3, 3, 4, 4, 3, 3, 4, 5, 7, 8, 8, 7, 5, 3)
"""More appliances run in the evening than at night: decibels of noise above the quietest hour, a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourhoodSettings:
    """One network's medium; ConfigError for a number that makes no sense. The same seed does the same.

    Chances are 0 to 1, times seconds, levels decibels. A link's margin is ``margin_db`` less what the way and the noise
    take; at a margin of 0 dB half of what is sent is lost, and ``slope_db`` more or less makes it a quarter.
    """

    profile: str
    """What it is a model of, for pages."""
    bit_rate: float
    """Bits a second on the medium, after coding."""
    max_frame: int
    """The most octets of a frame."""
    seed: int = 0
    coordinators: tuple[int, ...] = (0,)
    """Nodes that are roots of a tree."""
    # -- time on the air
    preamble_s: float = 0.0
    """What precedes the octets of every frame."""
    header_octets: int = 0
    """Octets that every frame has besides its own: addresses, check sums."""
    cell_octets: int = 1
    """A frame is cut into cells of this many octets; the last is filled up."""
    cell_overhead: int = 0
    """Octets on the medium that each cell has besides."""
    gap_s: float = 0.0
    """Silence before each transmission: turnaround, gaps between frames."""
    backoff_s: float = 0.0
    """Who sends waits a random time up to this besides."""
    ack_s: float = 0.0
    """What the acknowledgement of a transmission to one node takes, with its gap."""
    window: int = 0
    """Slots among which those that wait choose, doubled until there are eight for each: two in one slot collide. 0:
    nobody collides (polled)."""
    repetitions: int = 3
    """How often a transmission to one node is repeated before the frame is given up."""
    queue: int = 256
    """The most frames that wait at a node."""
    lifetime_s: float = 0.0
    """If not 0: a frame that is older than this is not sent any more, at whatever node it waits."""
    most_hops: int = 15
    """A frame that took so many hops goes no further."""
    spatial_reuse: bool = False
    """Whether nodes that do not hear each other may send at the same time; else one at a time in the whole network."""
    sense_db: float = -6.0
    """From this margin on (at the quietest hour) a node hears that another sends; only with ``spatial_reuse``."""
    # -- where nodes are
    geometry: Literal["feeders", "plane"] = "feeders"
    """Cables that meet at the transformer, or open country."""
    feeders: int = 8
    """How many cables."""
    extent_m: float = 500.0
    """How long a feeder is, or the side of the square around the coordinator."""
    hops: int = 0
    """If not 0: nodes stand in steps of ``reach_m`` along the feeders, so many that the last are so many hops away."""
    reach_m: float = 0.0
    """If not 0: nobody is heard farther than this, whatever the margin."""
    # -- quality
    margin_db: float = 30.0
    """Signal above noise where distance costs nothing, at the quietest hour."""
    db_per_m: float = 0.15
    """What a metre of cable takes (feeders)."""
    crossing_db: float = 8.0
    """What the way from one feeder to another takes besides (feeders)."""
    exponent: float = 3.0
    """How steeply the signal falls with distance (plane): ten times this for each decade of metres."""
    shadow_db: float = 4.0
    """Spread from one pair of nodes to another."""
    uneven_db: float = 3.0
    """Spread of the noise from node to node."""
    drift_db: float = 2.0
    """Spread of the noise at each node from one ``reroute_s`` to the next."""
    noise_db: tuple[float, ...] = (0.0,) * 24
    """Noise above the quietest hour, at each hour of the day; between them a straight line."""
    zone_h: float = 1.0
    """Hours by which that day is ahead of UTC."""
    slope_db: float = 2.0
    """How sharp the edge of reach is."""
    least: float = 0.5
    """The worst chance of a transmission to get over a link that a route may use."""
    loss: float | None = None
    """If given: this share of all transmissions over any link is lost, whatever the margin says."""
    duplicated: float = 0.0
    """Share of delivered frames that are delivered twice."""
    # -- routes
    reroute_s: float = 3600.0
    """How often routes are chosen anew."""
    repair_s: float = 60.0
    """How long it takes until routes follow a node that vanished or came back."""

    def __post_init__(self) -> None:
        for name in ("loss", "duplicated", "least"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1.0:
                raise ConfigError(f"{name} is a chance from 0 to 1, not {value}")
        for name in ("bit_rate", "max_frame", "cell_octets", "queue", "feeders", "extent_m", "slope_db", "reroute_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be more than 0, not {getattr(self, name)}")
        for field in fields(self):
            value = getattr(self, field.name)
            is_number = isinstance(value, int | float) and field.name not in _MAY_BE_NEGATIVE
            if is_number and not 0 <= value < math.inf:
                raise ConfigError(f"{field.name} must be a number of 0 or more, not {value}")
        if len(self.noise_db) != 24:
            raise ConfigError(f"noise_db has a value for each of 24 hours, not {len(self.noise_db)}")
        if not 1 <= self.most_hops <= 255:
            raise ConfigError(f"most_hops is 1 to 255, not {self.most_hops}")

    def airtime_s(self, octets: int) -> float:
        """How long a frame of so many octets is on the medium, without acknowledgement."""
        cells = -(-(octets + self.header_octets) // self.cell_octets)
        return self.preamble_s + cells * (self.cell_octets + self.cell_overhead) * 8 / self.bit_rate

    def hastened(self, factor: float) -> NeighbourhoodSettings:
        """The same medium on which everything takes ``factor`` times less, the repair of routes too; the day stays."""
        if not factor > 0:
            raise ConfigError(f"a medium cannot be {factor} times as fast")
        names = ("preamble_s", "gap_s", "backoff_s", "ack_s", "lifetime_s", "repair_s")
        times = {name: getattr(self, name) / factor for name in names}
        return replace(self, bit_rate=self.bit_rate * factor, **times)


_MAY_BE_NEGATIVE: Final = frozenset({"seed", "sense_db", "margin_db", "crossing_db", "zone_h"})

_SFSK: Final = NeighbourhoodSettings(
    profile="s-fsk",
    bit_rate=2400.0,
    max_frame=252,
    cell_octets=36,
    cell_overhead=9,
    gap_s=0.01,
    repetitions=1,
    noise_db=_HOUSEHOLDS,
    margin_db=36.0,
)
_PRIME: Final = NeighbourhoodSettings(
    profile="prime",
    bit_rate=21_400.0,
    max_frame=1024,
    preamble_s=0.0065,
    header_octets=8,
    gap_s=0.003,
    backoff_s=0.01,
    ack_s=0.011,
    window=32,
    lifetime_s=5.0,
    noise_db=_HOUSEHOLDS,
)
_G3: Final = NeighbourhoodSettings(
    profile="g3",
    bit_rate=20_000.0,
    max_frame=400,
    preamble_s=0.0157,
    header_octets=4,
    gap_s=0.008,
    backoff_s=0.01,
    ack_s=0.02,
    window=32,
    lifetime_s=10.0,
    noise_db=_HOUSEHOLDS,
    margin_db=32.0,
)
_MESH: Final = NeighbourhoodSettings(
    profile="rf-mesh",
    bit_rate=100_000.0,
    max_frame=2047,
    header_octets=12,
    gap_s=0.001,
    backoff_s=0.004,
    ack_s=0.003,
    window=32,
    lifetime_s=10.0,
    spatial_reuse=True,
    geometry="plane",
    extent_m=800.0,
    margin_db=70.0,
    shadow_db=6.0,
    noise_db=(0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 1, 0),
)
PRESETS: Final = {settings.profile: settings for settings in (_SFSK, _PRIME, _G3, _MESH)}
"""By profile. Rates, preambles and cells are those of the profiles as far as known; reach and noise are a model."""
_STEP_M: Final = 20.0
"""So short that the next step is heard at any hour: what is at the end of a row has no other way."""


def preset(profile: str, **changes: Any) -> NeighbourhoodSettings:
    """A profile's medium with changes: ``preset("prime", loss=0.10, hops=3)``. ConfigError for an unknown name.

    With ``hops`` nodes stand in as many steps along the feeders, and only neighbouring steps hear each other. There is
    no spread between pairs then: every node has a route, whatever the seed and the hour; what is lost, ``loss`` says.
    """
    try:
        known = PRESETS[profile]
    except KeyError:
        raise ConfigError(f"{profile!r} is no medium: {', '.join(PRESETS)}") from None
    if changes.get("hops"):
        changes = {"geometry": "feeders", "reach_m": _STEP_M, "shadow_db": 0.0, "spatial_reuse": False} | changes
    try:
        return replace(known, **changes)
    except TypeError as error:
        raise ConfigError(f"settings of a medium: {error}") from None
