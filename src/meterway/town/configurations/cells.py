"""Neighbourhood networks of a configuration: a simulated medium each, meters on it, frames counted by interface."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from meterway.home.api import HomeConfig, HomeNodes
from meterway.interfaces import Entity, Network, label_of
from meterway.links.clocks import LoopClock
from meterway.links.medium.neighbourhood import preset
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.medium.neighbourhood.hub import NeighbourhoodHub
from meterway.links.medium.neighbourhood.records import Carried as Transmission
from meterway.links.medium.neighbourhood.records import Route
from meterway.links.medium.neighbourhood.wire import Figures
from meterway.links.node import BROADCAST
from meterway.meter.api import Meter, MeterConfig
from meterway.meter.nodes import Beyond, MeterNodes
from meterway.stacks.neighbourhood import prime
from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.stacks.neighbourhood.station import Admit, Coordinator, Station
from meterway.town.configurations.messages import Carried
from meterway.town.configurations.plan import secret_of
from meterway.town.configurations.shape import Carrier

__all__ = ["NEIGHBOURHOOD", "Cell", "coordinator_of"]

NEIGHBOURHOOD: Final = {
    Carrier.PRIME: "prime",
    Carrier.G3: "g3",
    Carrier.SFSK: "s-fsk",
    Carrier.MESH: "rf-mesh",
}
"""The profile of each carrier of a neighbourhood network."""
_QUICK: Final = prime.PrimeSettings(
    acknowledge_within_s=1.0,
    frame_lifetime_s=0.5,
    answer_within_s=1.0,
    join_spread_s=0.5,
    beacon_interval_s=2.0,
    beacon_guard_s=0.2,
    broadcast_gap_s=1.0,
)
"""PRIME's waiting times, shortened as the medium is hastened."""
_HASTE: Final = 20.0
"""Simulated seconds on the medium for each real one, so that a demonstration need not wait for it."""
_HOPS: Final = 2
"""The second eight devices are behind the first."""
_WORDS: Final = {Entity.METER: "meter", Entity.LNAP: "LNAP", Entity.HOME: "home device"}


class Cell:
    """One network. Node 0 is the concentrator's; the others are numbered as they are placed."""

    def __init__(self, profile: str, secret: bytes, beyond: Beyond | None = None) -> None:
        self.profile = profile
        self.port = 0
        """Of the hub, once it is open."""
        self._hub = NeighbourhoodHub(preset(profile, hops=_HOPS), time_factor=_HASTE)
        self._secret = secret
        self._client = NeighbourhoodClient()
        self._watch = NeighbourhoodClient()
        self._entities: dict[int, Entity] = {}
        self._frames: Counter[Entity] = Counter()
        self._octets: Counter[Entity] = Counter()
        self.nodes = MeterNodes(LoopClock(time.time), self.station, beyond=beyond)
        self.homes = HomeNodes(LoopClock(time.time), self.station)

    def station(self, eui: bytes) -> Station:
        """A device's station on this network."""
        if self.profile == "prime":
            return prime.node(eui, _QUICK)
        return PROFILES[self.profile].node(eui, self.key(eui))

    def key(self, eui: bytes) -> bytes:
        """With which a device joins, where the profile has a key."""
        return secret_of(self._secret, "joining", eui.hex())[:16]

    async def open(self) -> None:
        """Open the medium and begin to count what is on it."""
        self.port = await self._hub.open()
        await self._client.connect(self.port)
        await self._watch.connect(self.port)
        self._watch.watch(self._carried, self._state)

    def place(self, entity: Entity) -> int:
        """A number for one more node."""
        number = len(self._entities) + 1
        self._entities[number] = entity
        return number

    def add(self, meter: MeterConfig | Meter) -> None:
        """Put a meter on the network, or one that has other ports already."""
        number = self.place(Entity.METER)
        self.nodes.add(meter, lambda: self._client.join(number))

    def add_home(self, device: HomeConfig, *, lived_s: float) -> None:
        """Put a home device on the network that has been in its home for a while."""
        number = self.place(Entity.HOME)
        self.homes.add(device, lived_s=lived_s)
        self.homes.place(device.serial, lambda: self._client.join(number))

    async def close(self) -> None:
        """Take everything down."""
        self.nodes.close()
        self.homes.close()
        self._client.close()
        self._watch.close()
        await self._hub.close()

    def carried(self) -> list[Carried]:
        """What went to and from each kind of device; what the concentrator tells all of them counts for each kind."""
        there = Counter(self._entities.values())
        return [
            Carried(
                label_of(entity, Entity.NNAP, Network.NEIGHBOURHOOD),
                f"{_WORDS[entity]} – NNAP, simulated medium",
                count,
                self._frames[entity],
                self._octets[entity],
            )
            for entity, count in there.items()
        ]

    def _carried(self, one: Transmission) -> None:
        if one.hop and one.result not in ("arrived", "heard"):
            return
        far = one.source or one.to
        kinds = set(self._entities.values()) if far == BROADCAST else {self._entities[far]}
        for kind in kinds:
            self._frames[kind] += 1
            self._octets[kind] += len(one.octets)

    def _state(self, figures: Figures, routes: list[Route]) -> None:
        """How the network stands: not of interest here."""


def coordinator_of(profile: str) -> Callable[[bytes, Admit], Coordinator] | None:
    """How a concentrator's station is made where it is not the profile's usual one."""
    if profile != "prime":
        return None
    return lambda eui, admit: prime.coordinator(eui, admit, _QUICK)
