"""What any profile must survive: stations that are expelled, restarted or deaf, frames of noise, frames altered."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from meterway.stacks.dlms.framing import Noticed
from meterway.stacks.neighbourhood.station import Coordinator, Joined, Station
from stacks.neighbourhood.carrier import Carrier

EUIS = [b"METER%03d" % number for number in (1, 2, 3)]
TROUBLES = ["expel", "restart", "restart base", "deaf"]


class Network(Carrier):
    """A coordinator (0) and three nodes (1 to 3)."""

    def __init__(self, base: Callable[[], Coordinator], node: Callable[[bytes], Station], **medium: float) -> None:
        super().__init__(**medium)
        self._make_base, self._make_node = base, node
        self.add(0, base())
        for number, eui in enumerate(EUIS, 1):
            self.add(number, node(eui))

    def trouble(self, what: str) -> None:
        """One of ``TROUBLES``."""
        base = self.stations[0]
        if what == "expel" and EUIS[0] in base.members:
            base.expel(EUIS[0], self.now)
            self.flush(0)
        elif what == "restart":
            self.add(2, self._make_node(EUIS[1]))
        elif what == "restart base":
            self.add(0, self._make_base())
        elif what == "deaf":
            self.deaf ^= {3}


def check_noise(network: Network, frames: Iterable[tuple[bool, bytes]]) -> None:
    """Any octets, to the base (True) or to node 1: no APDU, nobody lost."""
    for to_base, octets in frames:
        network.inject(1 - to_base, 0 if to_base else 1, octets)
    assert not network.apdus(0)
    assert not network.apdus(1)
    assert network.stations[0].members.keys() == set(EUIS)
    assert all(isinstance(event, (Noticed, Joined)) for event in network.events[0])


def inject_changed(network: Network, changes: Iterable[tuple[int, int, int]]) -> None:
    """Real frames (number, place, mask) changed and given to both, also to whom they were not for."""
    frames = list(network.frames)
    for number, place, mask in changes:
        _, _, frame = frames[number % len(frames)]
        octets = bytearray(frame.octets)
        octets[place % len(octets)] ^= mask
        for target in (0, 1):
            network.inject(target ^ 1, target, bytes(octets))
