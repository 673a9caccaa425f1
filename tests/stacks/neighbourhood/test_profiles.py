"""Every profile by name makes stations that join and carry APDUs within what it says of itself."""

import pytest

from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.stacks.neighbourhood.station import Apdu
from stacks.neighbourhood.carrier import Carrier

BASE, METER = b"BASE0001", b"METER001"
KEY = bytes(range(16))


@pytest.mark.parametrize(("name", "key"), [("prime", b""), ("s-fsk", b""), ("g3", KEY), ("rf-mesh", KEY)])
@pytest.mark.covers("IF-C")
def test_a_profile_joins_a_node_and_carries_an_apdu_both_ways(name, key):
    profile = PROFILES[name]
    assert profile.name == name
    carrier = Carrier()
    carrier.add(0, profile.coordinator(BASE, lambda eui: key))
    carrier.add(1, profile.node(METER, key))
    carrier.run(3600)
    assert set(carrier.stations[0].members) == {METER}
    carrier.send(0, METER, bytes(200), client=1, server=16)
    carrier.run(3700)
    carrier.send(1, BASE, b"answer", client=1, server=16)
    carrier.run(3800)
    assert carrier.of(1, Apdu) == [Apdu(eui=BASE, apdu=bytes(200), client=1, server=16)]
    assert carrier.of(0, Apdu) == [Apdu(eui=METER, apdu=b"answer", client=1, server=16)]
    assert max(len(frame.octets) for _, _, frame in carrier.frames) <= profile.mtu
