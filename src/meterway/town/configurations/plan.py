"""A configuration laid out for so many meters: every single thing with its serial, and what it is joined to. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from meterway.base.errors import ConfigError
from meterway.town.configurations.shape import Carrier, Configuration, Kind, Link, Part

__all__ = ["HISTORY_DAYS", "MAX_PREMISES", "Layout", "Placed", "broadcast_keys", "lay_out", "party_secret", "secret_of"]

HISTORY_DAYS: Final = 3
"""What is read of meters behind a concentrator: their medium is too slow for all they could hold."""
MAX_PREMISES: Final = 50
"""Premises that one process and one simulated air hold without their meters drowning each other."""
_SERIALS: Final = {
    Kind.ELECTRICITY: "M{:04d}",
    Kind.GAS: "1{:07d}",
    Kind.WATER: "2{:07d}",
    Kind.HEAT: "3{:07d}",
    Kind.LEGACY: "4{:07d}",
    Kind.MODULE: "5{:07d}",
    Kind.DISPLAY: "D{:04d}",
    Kind.MANAGER: "E{:04d}",
    Kind.LOAD: "L{:04d}",
    Kind.GATEWAY: "LNAP{:04d}",
    Kind.CONCENTRATOR: "NNAP{:04d}",
    Kind.HAND_HELD: "H{:04d}",
    Kind.HEAD_END: "HES{:04d}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One thing. ``premises`` is the first it serves, 1 the first of all; ``shares`` how many it serves."""

    part: Part
    serial: str
    premises: int
    shares: int = 1

    def serves(self, premises: int) -> bool:
        """Whether it is the one of its part for these premises."""
        return self.premises <= premises < self.premises + self.shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Everything there is, and the links between single things."""

    configuration: Configuration
    premises: int
    things: tuple[Placed, ...]

    def of(self, *kinds: Kind) -> list[Placed]:
        """The things of some kinds, in order."""
        return [thing for thing in self.things if thing.part.kind in kinds]

    def named(self, part: str) -> list[Placed]:
        """The things of a part, in order."""
        return [thing for thing in self.things if thing.part.name == part]

    def links(self, *carriers: Carrier) -> list[Link]:
        """The links of some carriers."""
        return [link for link in self.configuration.links if link.carrier in carriers]

    def joined(self, link: Link) -> Iterator[tuple[Placed, Placed]]:
        """The pairs of things that a link joins."""
        for near in self.named(link.near):
            for far in self.named(link.far):
                if far.serves(near.premises) or near.serves(far.premises):
                    yield near, far


def lay_out(configuration: Configuration, meters: int, *, first: int = 0) -> Layout:
    """As many premises as it takes for ``meters`` meters; serial numbers begin after ``first``.

    ConfigError for fewer than one or too many.
    """
    premises = -(-meters // max(configuration.metering_points, 1))
    if not 1 <= premises <= MAX_PREMISES:
        most = MAX_PREMISES * max(configuration.metering_points, 1)
        raise ConfigError(f"{configuration.label} on one machine has 1 to {most} meters, not {meters}")
    things = tuple(thing for part in configuration.parts for thing in _placed(configuration, part, premises, first))
    return Layout(configuration=configuration, premises=premises, things=things)


def _placed(configuration: Configuration, part: Part, premises: int, after: int) -> Iterator[Placed]:
    shares = part.every or premises
    before = sum(one.kind is part.kind for one in configuration.parts[: configuration.parts.index(part)])
    for number, first in enumerate(range(1, premises + 1, shares), 1):
        serial = _SERIALS[part.kind].format(number + before * 1000 + after)
        yield Placed(part=part, serial=serial, premises=first, shares=shares)


def secret_of(secret: bytes, purpose: str, serial: str) -> bytes:
    """What is drawn for one thing under the secret of the whole, 32 octets."""
    return hmac.digest(secret, f"{purpose}|{serial}".encode(), "sha256")


def broadcast_keys(secret: bytes, concentrator: str) -> tuple[bytes, bytes]:
    """The keys of broadcasts to those behind a concentrator, encryption and authentication, 16 octets each."""
    drawn = secret_of(secret, "broadcast", concentrator)
    return drawn[:16], drawn[16:]


def party_secret(secret: bytes, gateway: str, party: str) -> bytes:
    """What the keys of a party at a gateway derive from, 32 octets."""
    return secret_of(secret, f"party {party}", gateway)
