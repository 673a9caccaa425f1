"""Three hundred devices join over the simulated power line and radio mesh, and answer what they are asked."""

from __future__ import annotations

from types import ModuleType

import pytest

from meterway.interfaces.stationed import Stationed
from meterway.links.medium.neighbourhood import SimulatedNeighbourhood, preset
from meterway.stacks.neighbourhood import g3, mesh
from meterway.stacks.neighbourhood.station import Apdu, StationEvent
from meterway.stacks.neighbourhood.wpan import Settings
from stacks.neighbourhood.wpan_net import EUI, eui_of, key_of, rng

NODES, START = 300, 1.79e9


class Town:
    """A coordinator and nodes; a node answers whatever it is asked with 500 octets."""

    def __init__(self, profile: ModuleType, medium: str) -> None:
        self.net = SimulatedNeighbourhood(preset(medium, seed=5), start=START)
        self.answers: list[bytes] = []
        self.places: list[Stationed] = []
        for number in range(NODES + 1):
            settings = Settings(random=rng(number))
            if number:
                station = profile.node(eui_of(number), settings, key_of(eui_of(number)))
            else:
                station = profile.coordinator(EUI, key_of, settings)
            self.places.append(Stationed(station, self.net.join(number), self.net, self.answer(number)))
            self.places[-1].start()

    def answer(self, number: int):
        def on_event(event: StationEvent) -> None:
            if not isinstance(event, Apdu):
                return
            if number:
                made = bytes([number & 0xFF]) * 500
                self.places[number].station.send_apdu(EUI, made, client=1, server=1, now=self.net.now())
            else:
                self.answers.append(event.eui)

        return on_event

    @property
    def members(self) -> list[bytes]:
        return list(self.places[0].station.members)


@pytest.mark.covers("IF-C", "E-NNAP-1", "P2", "E-NET-NN")
@pytest.mark.parametrize(("profile", "medium"), [(g3, "g3"), (mesh, "rf-mesh")], ids=["g3", "rf-mesh"])
def test_three_hundred_devices_join_within_the_hour_and_answer(profile: ModuleType, medium: str) -> None:
    town = Town(profile, medium)
    town.net.run(START + 3600)
    assert len(town.members) == NODES
    coordinator = town.places[0]
    for eui in town.members:
        coordinator.station.send_apdu(eui, b"read it please", client=1, server=1, now=town.net.now())
        coordinator.flush()
        town.net.run(town.net.now() + 8)
    # Nothing is confirmed below DLMS: what the medium loses in spite of its repetitions is missing, never doubled.
    assert len(set(town.answers)) == len(town.answers)
    assert len(town.answers) >= 0.9 * NODES
