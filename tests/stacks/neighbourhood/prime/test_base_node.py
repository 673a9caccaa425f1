"""A base node: whom it admits, how it keeps them, how it loses them."""

import pytest

from meterway.base.errors import LocalProtocolError
from meterway.stacks.dlms.framing import Noticed
from meterway.stacks.neighbourhood.prime import PrimeSettings, Version, coordinator, node
from meterway.stacks.neighbourhood.prime.packet import header_type
from meterway.stacks.neighbourhood.station import EVERYONE, Apdu, Joined, JoinRefused, Left, Undelivered
from stacks.neighbourhood.carrier import Carrier

BASE = b"BASE0001"
VERSIONS = pytest.mark.parametrize("version", Version)


def euis(count):
    return [b"METER%03d" % number for number in range(1, count + 1)]


def network(count, admit=lambda eui: b"", settings=None, **kw):
    carrier = Carrier(**kw)
    carrier.add(0, coordinator(BASE, admit, settings))
    for number, eui in enumerate(euis(count), 1):
        carrier.add(number, node(eui, settings))
    carrier.run(120)
    return carrier


@pytest.mark.covers("IF-C")
@VERSIONS
def test_nodes_join_and_are_known_by_eui(version):
    carrier = network(10, settings=PrimeSettings(version=version))
    members = carrier.stations[0].members
    assert sorted(members) == euis(10)
    assert {member.node for member in members.values()} == set(range(1, 11))
    assert len({member.address for member in members.values()}) == 10
    assert len(carrier.of(0, Joined)) == 10
    assert carrier.of(0, Left) == []


def test_only_the_admitted_join():
    welcome = set(euis(10)[::2])
    carrier = network(10, lambda eui: b"" if eui in welcome else None)
    assert set(carrier.stations[0].members) == welcome
    refused = {event.eui for event in carrier.of(0, JoinRefused)}
    assert refused == set(euis(10)) - welcome
    assert not any(carrier.of(number, Joined) for number in range(2, 11, 2))


def test_a_member_put_out_comes_back_unless_it_is_not_admitted_any_more():
    banned = set()
    carrier = network(2, lambda eui: None if eui in banned else b"")
    one, two = euis(2)
    carrier.stations[0].expel(one, carrier.now)
    banned.add(two)
    carrier.stations[0].expel(two, carrier.now)
    carrier.flush(0)
    assert [event.reason for event in carrier.of(0, Left)] == ["expelled", "expelled"]
    assert carrier.stations[0].members == {}
    carrier.run(carrier.now + 300)
    assert set(carrier.stations[0].members) == {one}
    assert [event.reason for event in carrier.of(1, Left)] == ["unregistered by the base node"]
    with pytest.raises(LocalProtocolError):
        carrier.stations[0].expel(two, carrier.now)


def test_a_member_that_falls_silent_is_missed_and_one_that_was_restarted_joins_again():
    carrier = network(2)
    carrier.deaf.add(1)
    carrier.add(2, node(euis(2)[1]))
    carrier.run(carrier.now + 120)
    assert [event.reason for event in carrier.of(0, Left)] == ["it registered again"]
    assert set(carrier.stations[0].members) == set(euis(2))
    carrier.run(carrier.now + 1024)
    assert [(event.member.eui, event.reason) for event in carrier.of(0, Left)][1:] == [
        (euis(2)[0], "it is not heard any more")
    ]
    carrier.deaf.clear()
    carrier.run(carrier.now + 2000)
    assert set(carrier.stations[0].members) == set(euis(2))


@pytest.mark.parametrize("seed", [0, 1])
def test_members_at_rest_stay_for_a_week_but_for_bad_luck(seed):
    """Of a carrier that repeats nothing 5 % is lost: of eight seeds, two have one node register again."""
    carrier = network(3, loss=0.05, seed=seed)
    carrier.run(7 * 86400)
    assert len(carrier.of(0, Left)) <= 1
    assert sum(len(carrier.of(number, Left)) for number in (1, 2, 3)) <= 1
    assert set(carrier.stations[0].members) == set(euis(3))


def test_what_is_not_acknowledged_is_undelivered_and_the_member_left():
    carrier = network(1)
    (eui,) = euis(1)
    carrier.deaf.add(1)
    carrier.send(0, eui, b"one")
    carrier.send(0, eui, b"two")
    carrier.run(carrier.now + 600)
    gone = "it does not acknowledge any more"
    assert carrier.of(0, Undelivered) == [Undelivered(eui=eui, apdu=apdu, reason=gone) for apdu in (b"one", b"two")]
    assert [event.reason for event in carrier.of(0, Left)] == [gone]
    with pytest.raises(LocalProtocolError):
        carrier.send(0, eui, b"three")


@VERSIONS
def test_a_broadcast_reaches_every_member_once(version):
    carrier = network(5, settings=PrimeSettings(version=version), double=0.5, late=4.0)
    carrier.send(0, None, b"short", client=1, server=16)
    carrier.send(0, None, bytes(600), client=1, server=16)
    carrier.send(0, None, b"short", client=1, server=16)
    carrier.run(carrier.now + 200)
    for number in range(1, 6):
        heard = carrier.of(number, Apdu)
        assert [event.apdu for event in heard] == [b"short", bytes(600), b"short"]
        assert all(event.is_broadcast and (event.client, event.server) == (1, 16) for event in heard)
    data = [one.to for _, source, one in carrier.frames if source == 0 and header_type(one.octets) == 0]
    assert EVERYONE in data


def test_an_urgent_apdu_leaves_as_an_urgent_frame():
    carrier = network(1)
    (eui,) = euis(1)
    count = len(carrier.frames)
    carrier.send(0, eui, b"now", urgent=True)
    carrier.send(0, eui, b"later")
    assert [frame.urgent for _, _, frame in carrier.frames[count:]][:1] == [True]


def test_a_frame_in_the_name_of_another_is_dropped():
    carrier = network(2)
    one, _ = euis(2)
    carrier.send(1, BASE, b"mine")
    (_, _, frame) = carrier.frames[-1]
    carrier.run(carrier.now + 5)
    carrier.inject(2, 0, frame.octets)
    assert carrier.of(0, Noticed)[-1].kind == "address"
    assert carrier.apdus(0) == [b"mine"]
    assert one in carrier.stations[0].members


def test_a_crowd_does_not_get_in_all_at_once():
    told = PrimeSettings(most_joining=3, most_flying=2, join_spread_s=0.1)
    carrier = Carrier(delay=1.0)
    base = carrier.add(0, coordinator(BASE, lambda eui: b"", told))
    for number, eui in enumerate(euis(30), 1):
        carrier.add(number, node(eui, told))
    while len(base.members) < 30:
        carrier.run(carrier.now + 0.5)
        assert base._devices.joining <= 3
        assert carrier.now < 3600
    for eui in euis(30):
        carrier.send(0, eui, bytes(500))
    carrier.run(carrier.now + 0.5)
    assert len(base._flying) == 2
    carrier.run(carrier.now + 600)
    assert all(carrier.apdus(number) == [bytes(500)] for number in range(1, 31))
    assert not base._flying
    assert not base._waiting


def test_a_device_that_leaves_makes_room_for_others():
    told = PrimeSettings(most_flying=1, acknowledge_within_s=2.0, repetitions=1)
    carrier = Carrier()
    carrier.add(0, coordinator(BASE, lambda eui: b"", told))
    for number, eui in enumerate(euis(3), 1):
        carrier.add(number, node(eui, told))
    carrier.run(120)
    carrier.deaf.add(1)
    for eui in euis(3):
        carrier.send(0, eui, b"x")
    carrier.run(carrier.now + 60)
    assert carrier.apdus(2) == carrier.apdus(3) == [b"x"]
    assert [event.member.eui for event in carrier.of(0, Left)] == [euis(3)[0]]


def test_an_urgent_apdu_does_not_wait_for_room():
    told = PrimeSettings(most_flying=1)
    carrier = network(2, settings=told)
    one, two = euis(2)
    carrier.deaf.add(1)
    carrier.send(0, one, b"held up")
    carrier.send(0, two, b"usual")
    carrier.run(carrier.now + 5)
    assert carrier.apdus(2) == []
    carrier.send(0, two, b"now", urgent=True)
    carrier.run(carrier.now + 5)
    assert b"now" in carrier.apdus(2)
