"""A node of the neighbourhood as the concentrator knows it: who it is, how it stands, what is known of its data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from meterway.base.obis import Obis
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.security.counter import ReceivedCounter

if TYPE_CHECKING:
    from meterway.nnap.talk import Talk
    from meterway.stacks.dlms.security.context import Keys
    from meterway.stacks.neighbourhood.station import Member

__all__ = ["CLIENT", "Cached", "Mirror", "Node", "Proposal", "Role", "Series", "Turn"]

Role = Literal["meter", "supervision", "gateway", "nnap", "home"]
"""``supervision`` meters the transformer, ``gateway`` is an LNAP, ``nnap`` a concentrator behind this one."""
CLIENT: Final = 5
"""As which client of a meter a concentrator reads, unless told otherwise: the companion profiles have it."""
_WEIGHT: Final = 0.1


@dataclass(slots=True, kw_only=True)
class Series:
    """What is known of a profile of the meter: what it captures, and up to when all its rows are here."""

    obis: Obis
    period_s: int = 0
    columns: tuple[CaptureObject, ...] = ()
    upto_s: float = 0.0

    @property
    def is_known(self) -> bool:
        """Whether the meter told what the profile captures."""
        return bool(self.columns)


@dataclass(frozen=True, slots=True)
class Cached:
    """An attribute as the meter gave it, encoded, and when."""

    octets: bytes
    time_s: float


@dataclass(slots=True)
class Mirror:
    """What is known of a meter's data; the rows and attributes themselves are in the store."""

    series: dict[Obis, Series] = field(default_factory=dict)
    clock_error_s: float | None = None
    """By how much the meter's clock was fast when it was last read."""
    learned: bool = False
    """Whether the names, scalers and profiles were read."""


@dataclass(slots=True)
class Turn:
    """When a node was and is to be asked, Unix seconds."""

    read_s: float = 0.0
    """When it was last read to the end."""
    tried_s: float = 0.0
    next_s: float = 0.0
    failures: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """An entry of the white list. ``key`` is for joining the network, ``keys`` for the application (None: router only).

    ``channel`` is its logical device northbound less one; ``server`` its own logical device. ``profile`` names the
    companion profile that says what is collected.
    """

    eui: bytes
    serial: str
    channel: int
    title: bytes = b""
    key: bytes = b""
    keys: Keys | None = None
    client: int = CLIENT
    server: int = 1
    role: Role = "meter"
    profile: str = "idis"
    name: bytes = b""
    """What it calls itself (logical device name); empty while it was not asked or did not tell."""
    configured: bool = False
    """Whether it stands in the settings, and cannot be removed by a command for good."""
    listed_s: float = 0.0
    """Since when it is on the list; 0: for as long as anybody knows."""
    # how it stands
    member: Member | None = None
    joined_s: float = 0.0
    heard_s: float = 0.0
    hops: int = 0
    parent: bytes = b""
    quality: float = 1.0
    """Of the requests of late, the part that was answered."""
    link: float | None = None
    """The chance of one transmission over the link to its parent and back, where the medium's routes are known."""
    silent: bool = False
    half_trip_s: float = 0.0
    """Half of what a short request and its answer took of late."""
    turn: Turn = field(default_factory=Turn)
    mirror: Mirror = field(default_factory=Mirror)
    received: ReceivedCounter = field(default_factory=ReceivedCounter)
    talk: Talk | None = None
    alarms: int = 0

    def __repr__(self) -> str:
        return f"Node({self.serial}, channel={self.channel})"

    @property
    def shown_quality(self) -> float:
        """Of its link, or where nothing is known of that, of its answers."""
        return self.quality if self.link is None else self.link

    @property
    def is_read(self) -> bool:
        """Whether the concentrator polls it."""
        return self.keys is not None and self.role in ("meter", "supervision")

    def judged(self, *, answered: bool) -> None:
        """Count a request that was answered or not."""
        self.quality += _WEIGHT * ((1.0 if answered else 0.0) - self.quality)

    def measured(self, half_trip_s: float) -> None:
        """Count how long half a short exchange took."""
        known = self.half_trip_s
        self.half_trip_s = half_trip_s if known == 0.0 else known + 0.3 * (half_trip_s - known)


@dataclass(slots=True, kw_only=True)
class Proposal:
    """A device that asked to join and is not listed."""

    eui: bytes
    first_s: float
    last_s: float
    count: int = 1
