"""The profiles of a neighbourhood network by name, with what a medium and a concentrator must know of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from meterway.stacks.neighbourhood import g3, mesh, prime, sfsk
from meterway.stacks.neighbourhood.hastened import HastenedCoordinator, HastenedStation
from meterway.stacks.neighbourhood.prime import PrimeSettings
from meterway.stacks.neighbourhood.sfsk.mac import MAX_FRAME
from meterway.stacks.neighbourhood.station import Admit, Coordinator, Station

__all__ = ["PROFILES", "Profile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One profile with its usual settings; for others, call the factories of its own module.

    ``coordinator`` makes a concentrator's station of its EUI and of who may join, ``node`` a device's of its EUI and
    its key (empty where the profile needs none). ``mtu`` is the longest frame in octets, ``bit_rate`` in bit/s is that
    of the octets of a frame, ``frame_overhead_s`` how long the medium is taken by what precedes them.
    """

    name: str
    coordinator: Callable[[bytes, Admit], Coordinator]
    node: Callable[[bytes, bytes], Station]
    mtu: int
    bit_rate: int
    frame_overhead_s: float

    def hastened(self, factor: float) -> Profile:
        """The same whose stations wait ``factor`` times less, for a medium that is as much faster (simulated ones)."""
        if factor == 1.0:
            return self
        coordinator, node = self.coordinator, self.node
        return replace(
            self,
            coordinator=lambda eui, admit: HastenedCoordinator(coordinator(eui, admit), factor),
            node=lambda eui, key: HastenedStation(node(eui, key), factor),
        )


_ALL: Final = (
    # DBPSK with convolutional coding in the CENELEC A band; preamble (2.048 ms) and header of two symbols (4.48 ms).
    Profile(
        name="prime",
        coordinator=prime.coordinator,
        node=lambda eui, key: prime.node(eui, key=key),
        mtu=PrimeSettings().mtu,
        bit_rate=21_400,
        frame_overhead_s=0.0065,
    ),
    # DBPSK in the CENELEC A band; preamble and frame control header, 9.5 and 13 symbols, as far as known.
    Profile(
        name="g3",
        coordinator=g3.coordinator,
        node=lambda eui, key: g3.node(eui, key=key),
        mtu=g3.FRAME,
        bit_rate=20_000,
        frame_overhead_s=0.0157,
    ),
    # FSK of 100 kbit/s in a sub-gigahertz band; preamble, start of frame and length of eight octets or so.
    Profile(
        name="rf-mesh",
        coordinator=mesh.coordinator,
        node=lambda eui, key: mesh.node(eui, key=key),
        mtu=mesh.FRAME,
        bit_rate=100_000,
        frame_overhead_s=0.001,
    ),
    # 2,400 bit/s, of which a sub-frame has 36 octets of 45: preamble, delimiter and pause are with each of them.
    Profile(
        name="s-fsk",
        coordinator=sfsk.coordinator,
        node=lambda eui, key: sfsk.node(eui, key=key),
        mtu=MAX_FRAME,
        bit_rate=1_920,
        frame_overhead_s=0.0,
    ),
)
PROFILES: Final[dict[str, Profile]] = {profile.name: profile for profile in _ALL}
