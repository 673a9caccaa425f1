"""Stations that are hastened do the same in less time, whatever the profile."""

import pytest

from meterway.base.errors import ConfigError
from meterway.stacks.neighbourhood.hastened import HastenedStation
from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.stacks.neighbourhood.station import Apdu, Left
from stacks.neighbourhood.carrier import Carrier

BASE, METER = b"BASE0001", b"METER001"
KEY = bytes(range(16))


@pytest.mark.covers("IF-C")
@pytest.mark.parametrize(("name", "key"), [("prime", b""), ("s-fsk", b""), ("g3", KEY), ("rf-mesh", KEY)])
def test_a_hastened_station_joins_carries_and_is_put_out(name, key):
    profile = PROFILES[name].hastened(60.0)
    carrier = Carrier()
    carrier.add(0, profile.coordinator(BASE, lambda eui: key))
    carrier.add(1, profile.node(METER, key))
    carrier.run(60)
    base, meter = carrier.stations[0], carrier.stations[1]
    assert set(base.members) == {METER}
    assert (base.eui, meter.eui) == (BASE, METER)
    assert meter.max_apdu >= 200
    carrier.send(0, METER, bytes(200), client=1, server=16)
    carrier.run(63)
    assert carrier.of(1, Apdu) == [Apdu(eui=BASE, apdu=bytes(200), client=1, server=16)]
    base.expel(METER, 64.0)
    assert METER not in base.members
    carrier.flush(0)
    assert [event.member.eui for event in carrier.of(0, Left)] == [METER]


def test_at_its_own_pace_it_is_the_profile_itself_and_no_pace_is_refused():
    assert PROFILES["prime"].hastened(1.0) is PROFILES["prime"]
    with pytest.raises(ConfigError):
        HastenedStation(PROFILES["prime"].node(METER, b""), 0.0)


class _Waiting:
    """A station that waits until a time that no float of the clock outside hits."""

    due = 1_000_000_000.1

    def __init__(self):
        self.turns = 0

    def start(self, now):
        self.due = now + 0.7

    def next_timeout(self):
        return self.due

    def handle_timeout(self, now):
        if now >= self.due:
            self.turns += 1
            self.due += 0.7


def test_what_is_due_outside_is_due_inside():
    inner = _Waiting()
    station = HastenedStation(inner, 37.0)
    station.start(1_790_000_000.3)
    for turn in range(1, 5000):
        station.handle_timeout(station.next_timeout())
        assert inner.turns == turn


@pytest.mark.covers("SEC-05")
@pytest.mark.parametrize("name", ["g3", "rf-mesh"])
def test_a_station_that_is_started_again_is_heard_whatever_it_sent_before(name):
    began = 1_790_000_000.0
    profile = PROFILES[name].hastened(40.0)
    carrier = Carrier(delay=0.001)
    carrier.now = began
    carrier.add(0, profile.coordinator(BASE, lambda eui: KEY))
    carrier.add(1, profile.node(METER, KEY))
    carrier.run(began + 20)
    for number in range(300):
        carrier.send(1, BASE, bytes([number & 0xFF]) * 900, client=1, server=1)
        carrier.run(began + 20 + number / 100)
    heard = len(carrier.of(0, Apdu))
    assert heard == 300
    carrier.add(1, profile.node(METER, KEY))
    carrier.run(began + 45)
    carrier.send(1, BASE, b"again", client=1, server=1)
    carrier.run(began + 46)
    assert [event.apdu for event in carrier.of(0, Apdu)[heard:]] == [b"again"]
