"""What a configuration is made of: parts, links between them, and which part each use case is driven through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from meterway.base.errors import ConfigError
from meterway.interfaces import Entity, Network, label_of

__all__ = ["Access", "Carrier", "Configuration", "Kind", "Link", "NotApplicable", "Part", "UseCase"]


class Kind(Enum):
    """What is built for a part."""

    ELECTRICITY = "electricity meter"
    GAS = "gas meter"
    WATER = "water meter"
    HEAT = "heat meter"
    LEGACY = "legacy meter"
    """A meter of old: a display, and an optical port that tells its registers."""
    MODULE = "module on a legacy meter"
    """An additional functionality device: it reads the legacy meter and speaks for it."""
    DISPLAY = "consumer display"
    MANAGER = "energy manager"
    """A home automation end device that asks."""
    LOAD = "load controller"
    """A home automation end device that is commanded."""
    GATEWAY = "local network access point"
    CONCENTRATOR = "neighbourhood network access point"
    HAND_HELD = "hand-held"
    """A service tool; no entity of the figure."""
    HEAD_END = "head end"

    @property
    def entity(self) -> Entity | None:
        """Which entity of the figure it is."""
        return _ENTITY.get(self)


_ENTITY: Final = {
    Kind.ELECTRICITY: Entity.METER,
    Kind.GAS: Entity.METER,
    Kind.WATER: Entity.METER,
    Kind.HEAT: Entity.METER,
    Kind.MODULE: Entity.METER,
    Kind.DISPLAY: Entity.DISPLAY,
    Kind.MANAGER: Entity.HOME,
    Kind.LOAD: Entity.HOME,
    Kind.GATEWAY: Entity.LNAP,
    Kind.CONCENTRATOR: Entity.NNAP,
    Kind.HEAD_END: Entity.HEAD_END,
}


class Carrier(Enum):
    """What carries a link."""

    TCP = "DLMS over TCP"
    HDLC = "DLMS in HDLC on TCP"
    P1 = "P1 telegrams"
    RADIO = "wireless M-Bus"
    WIRE = "two-wire M-Bus"
    OPTICAL = "IEC 62056-21 at the optical port"
    PRIME = "PRIME"
    G3 = "G3"
    SFSK = "S-FSK"
    MESH = "radio mesh"
    LONG_RADIO = "wireless M-Bus, mode N at 169 MHz"


class UseCase(Enum):
    """What is driven through every configuration."""

    SCHEDULED = "scheduled read"
    ON_DEMAND = "on-demand read"
    COMMAND = "command"
    EVENT = "event"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of thing in the field. ``every`` premises share one; 0: all of them do.

    ``inside`` names the part whose device it lives in.
    """

    name: str
    kind: Kind
    every: int = 1
    inside: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """As which party a head end asks a gateway, what of, and with which rights."""

    party: str
    parts: tuple[str, ...] = ()
    """The meters it may ask for; empty: all of them."""
    rights: tuple[Literal["read", "command", "configure"], ...] = ("read", "command", "configure")
    sees_gateway: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What joins two parts. Without a network it is within one end device or a service port: no interface's letter."""

    near: str
    far: str
    network: Network | None
    carrier: Carrier
    access: Access | None = None


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A use case that a configuration does not have, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One configuration. ``cases`` names the part through which each use case is driven, or says why there is none."""

    label: str
    title: str
    met_as: str
    """Where it is met."""
    parts: tuple[Part, ...]
    links: tuple[Link, ...]
    cases: Mapping[UseCase, str | NotApplicable]

    def __post_init__(self) -> None:
        names = {part.name for part in self.parts}
        used = {end for link in self.links for end in (link.near, link.far)}
        used |= {part.inside for part in self.parts if part.inside}
        used |= {name for name in self.cases.values() if isinstance(name, str)}
        if unknown := used - names:
            raise ConfigError(f"{self.label} has no part {', '.join(sorted(unknown))}")
        if set(self.cases) != set(UseCase):
            raise ConfigError(f"{self.label} does not say of every use case how it is driven")

    def part(self, name: str) -> Part:
        """The part of a name; ConfigError if there is none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise ConfigError(f"{self.label} has no part {name}")

    def of_kind(self, *kinds: Kind) -> tuple[Part, ...]:
        """The parts of some kinds."""
        return tuple(part for part in self.parts if part.kind in kinds)

    def head_ends(self, name: str) -> tuple[str, ...]:
        """The head ends that ask at a part: itself if it is one, those that its links lead to if it passes on."""
        kind = self.part(name).kind
        if kind is Kind.HEAD_END:
            return (name,)
        if kind is not Kind.CONCENTRATOR:
            return ()
        return tuple(one for link in self.links if link.near == name for one in self.head_ends(link.far))

    def label_of(self, link: Link) -> str:
        """The letter of a link; empty where it has none."""
        near, far = self.part(link.near).kind.entity, self.part(link.far).kind.entity
        if link.network is None or near is None or far is None:
            return ""
        return label_of(near, far, link.network)

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The letters of the interfaces that are to carry traffic, each once."""
        return tuple(dict.fromkeys(label for link in self.links if (label := self.label_of(link))))

    @property
    def metering_points(self) -> int:
        """How many meters each premises has for itself."""
        meters = self.of_kind(Kind.ELECTRICITY, Kind.GAS, Kind.WATER, Kind.HEAT, Kind.MODULE)
        return sum(part.every == 1 for part in meters)
