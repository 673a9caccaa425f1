"""A service node: searches, joins, stays, comes back; whom it listens to."""

from itertools import pairwise

import pytest

from meterway.base.errors import LocalProtocolError
from meterway.stacks.dlms.framing import Noticed
from meterway.stacks.neighbourhood.prime import PrimeSettings, ServiceNode, Version, coordinator, node
from meterway.stacks.neighbourhood.prime.packet import header_type
from meterway.stacks.neighbourhood.prime.settings import eui48_of, keep_alive_s
from meterway.stacks.neighbourhood.prime.states import NodeState
from meterway.stacks.neighbourhood.station import Apdu, Joined, Left, Member, Undelivered
from stacks.neighbourhood.carrier import Carrier

BASE, OTHER, METER = b"BASE0001", b"BASE0002", b"METER001"
SETTINGS = PrimeSettings()


def joined(settings=SETTINGS, **kw):
    carrier = Carrier(**kw)
    carrier.add(0, coordinator(BASE, lambda eui: b"", settings))
    carrier.add(1, node(METER, settings))
    carrier.run(120)
    assert carrier.of(1, Joined)
    return carrier


def test_a_node_alone_asks_ever_more_rarely():
    carrier = Carrier()
    carrier.add(1, node(METER))
    carrier.run(2 * 86400)
    asked = [at for at, _, frame in carrier.frames if header_type(frame.octets) == 1]
    pauses = [later - sooner for sooner, later in pairwise(asked)]
    assert pauses[0] < 80
    assert 3600 <= pauses[-1] <= 4500
    assert len(asked) < 60


def test_what_joined_says_of_itself():
    carrier = joined()
    (event,) = carrier.of(1, Joined)
    assert event.member == Member(eui=METER, node=0, address=carrier.stations[0].members[METER].address)


def test_a_node_sends_to_its_base_node_only():
    carrier = joined()
    for eui in (OTHER, None, b""):
        with pytest.raises(LocalProtocolError):
            carrier.send(1, eui, b"x")
    with pytest.raises(LocalProtocolError):
        node(METER).send_apdu(BASE, b"x", client=1, server=1, now=0.0)
    with pytest.raises(LocalProtocolError):
        carrier.send(1, BASE, bytes(carrier.stations[1].max_apdu + 1))
    carrier.send(1, BASE, bytes(carrier.stations[1].max_apdu))
    carrier.run(400)
    assert [len(apdu) for apdu in carrier.apdus(0)] == [carrier.stations[1].max_apdu]


def test_a_node_whose_base_node_falls_silent_begins_again():
    carrier = joined()
    carrier.remove(0)
    carrier.run(carrier.now + keep_alive_s(5, Version.V136) + 60)
    assert [event.reason for event in carrier.of(1, Left)] == ["the base node is not heard any more"]
    carrier.add(0, coordinator(BASE, lambda eui: b""))
    carrier.run(carrier.now + 1000)
    assert len(carrier.of(1, Joined)) == 2


def test_a_base_node_that_was_restarted_is_noticed_when_something_is_said():
    carrier = joined()
    carrier.add(0, coordinator(BASE, lambda eui: b""))
    carrier.send(1, BASE, b"news")
    carrier.run(carrier.now + 120)
    assert carrier.of(1, Undelivered) == [Undelivered(eui=BASE, apdu=b"news", reason="unregistered by the base node")]
    assert len(carrier.of(1, Joined)) == 2
    assert set(carrier.stations[0].members) == {METER}


def test_a_refused_node_leaves_that_network_alone_and_takes_another():
    carrier = Carrier()
    carrier.add(0, coordinator(BASE, lambda eui: None))
    carrier.add(1, node(METER))
    carrier.run(600)
    attempts = [1 for _, source, frame in carrier.frames if source == 1 and header_type(frame.octets) == 0]
    assert len(attempts) <= 5
    carrier.add(2, coordinator(OTHER, lambda eui: b""))
    carrier.run(800)
    assert set(carrier.stations[2].members) == {METER}


def test_two_coordinators_do_not_disturb_each_other():
    carrier = Carrier(loss=0.05, double=0.1, late=1.0)
    carrier.add(100, coordinator(BASE, lambda eui: b""))
    carrier.add(200, coordinator(OTHER, lambda eui: b""))
    for number in range(1, 21):
        carrier.add(number, node(b"METER%03d" % number))
    carrier.run(600)
    sides = [carrier.stations[number].members for number in (100, 200)]
    assert len(sides[0]) + len(sides[1]) == 20
    for side, members in zip((100, 200), sides, strict=True):
        for eui in list(members):
            carrier.send(side, eui, eui + b"?")
    carrier.run(900)
    for number in range(1, 21):
        (event,) = carrier.of(number, Apdu)
        assert event.apdu == b"METER%03d?" % number
        assert event.eui in (BASE, OTHER)


def test_only_the_base_node_it_follows_is_heard():
    carrier = joined()
    (_, _, frame) = next(one for one in reversed(carrier.frames) if one[1] == 0 and header_type(one[2].octets) == 0)
    carrier.inject(66, 1, frame.octets)
    assert carrier.of(1, Noticed)[-1].kind == "address"
    carrier.inject(0, 1, b"\x30")
    assert carrier.of(1, Noticed)[-1].kind == "type"
    carrier.inject(0, 1, b"")
    assert carrier.of(1, Noticed)[-1].kind == "type"


def test_an_eui_has_eight_octets():
    with pytest.raises(LocalProtocolError):
        ServiceNode(b"short", SETTINGS)
    assert node(METER).eui48 == eui48_of(METER)
    assert node(METER).state is NodeState.SEARCHING


def test_a_base_node_that_was_restarted_gets_its_idle_nodes_back():
    carrier = joined()
    carrier.add(0, coordinator(BASE, lambda eui: b""))
    carrier.run(carrier.now + 0.6 * keep_alive_s(5, Version.V136) + 120)
    assert set(carrier.stations[0].members) == {METER}
    assert [event.reason for event in carrier.of(1, Left)] == ["unregistered by the base node"]
