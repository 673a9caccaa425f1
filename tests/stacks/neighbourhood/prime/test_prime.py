"""The factories, and what a whole network costs."""

import pytest

from meterway.interfaces.stationed import Stationed
from meterway.links.medium.neighbourhood import SimulatedNeighbourhood, preset
from meterway.stacks.neighbourhood import prime
from meterway.stacks.neighbourhood.station import Apdu
from stacks.neighbourhood.carrier import Carrier
from stacks.neighbourhood.effort import instructions


def test_factories_take_settings_or_have_their_own():
    told = prime.PrimeSettings(mtu=100, max_apdu=500)
    assert prime.coordinator(b"BASE0001", lambda eui: b"", told).max_apdu == 500
    assert prime.node(b"METER001").max_apdu == prime.PrimeSettings().max_apdu
    assert prime.node(b"METER001", prime.PrimeSettings(mtu=64, max_apdu=10_000), b"").max_apdu == 64 * 43 - 3


@pytest.mark.covers("IF-C")
def test_asking_when_costs_little_with_many_members():
    carrier = Carrier()
    base = carrier.add(0, prime.coordinator(b"BASE0001", lambda eui: b""))
    for number in range(1, 301):
        carrier.add(number, prime.node(b"MTR%05d" % number))
    carrier.run(300)
    assert len(base.members) == 300
    assert instructions(base.next_timeout) < 300  # it does not look through them
    carrier.send(0, b"MTR00001", b"x")
    carrier.run(301)
    assert len(carrier.of(1, Apdu)) == 1


def on_two_hops(seed):
    """Fifteen nodes, of which the last seven are behind the first seven, in the noisiest hour."""
    network = SimulatedNeighbourhood(preset("prime", hops=2, loss=0.1, seed=seed), start=19 * 3600.0)
    base = prime.coordinator(b"BASE0001", lambda eui: b"")
    Stationed(base, network.join(0), network, lambda event: None).start()

    def enter(number):
        station = Stationed(prime.node(b"METER%03d" % number), network.join(number), network, lambda event: None)
        station.start()
        return station

    return network, base, enter


def until(network, what, seconds):
    end = network.now() + seconds
    while not what() and network.now() < end:
        network.run(network.now() + 10)
    return what()


@pytest.mark.parametrize("seed", range(10))
def test_over_two_hops_all_join_and_come_back_when_one_on_the_way_was_away(seed):
    network, base, enter = on_two_hops(seed)
    stations = {number: enter(number) for number in range(1, 16)}
    assert until(network, lambda: len(base.members) == 15, 900)
    for away in (300, 4000):  # shorter and longer than it takes to be missed
        network.run(network.now() + 600)
        assert len(base.members) == 15
        stations[1].close()
        network.run(network.now() + away)
        if away > 3600:
            assert set(range(1, 16)) - {int(eui[-3:]) for eui in base.members} == {1, 9}
        stations[1] = enter(1)
        assert until(network, lambda: len(base.members) == 15, 900)
    network.run(network.now() + 3600)
    assert len(base.members) == 15
