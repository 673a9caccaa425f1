"""The factories, and what a whole network costs."""

import pytest

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
