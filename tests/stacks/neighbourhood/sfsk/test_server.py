"""A server: whom it follows, what it answers again, when it is NEW again."""

import pytest

from meterway.base.errors import LocalProtocolError
from meterway.stacks.dlms.framing import Noticed
from meterway.stacks.neighbourhood.sfsk import SfskSettings, coordinator, node
from meterway.stacks.neighbourhood.sfsk.states import ServerState
from meterway.stacks.neighbourhood.station import Apdu, Joined, Left, Undelivered
from stacks.neighbourhood.carrier import Carrier

BASE, OTHER, METER = b"BASE0001", b"BASE0002", b"METER001"


def joined(settings=None, **kw):
    carrier = Carrier(**kw)
    carrier.add(0, coordinator(BASE, lambda eui: b"", settings))
    carrier.add(1, node(METER, settings))
    carrier.run(125)
    assert carrier.of(1, Joined)
    return carrier


def answering(carrier):
    def answer(number, event):
        if 0 < number < 100 and isinstance(event, Apdu) and not event.is_broadcast:
            carrier.stations[number].send_apdu(
                event.eui, b"to " + event.apdu, client=event.client, server=event.server, now=carrier.now
            )

    carrier.on_event = answer
    return carrier


def test_a_server_alone_says_nothing():
    carrier = Carrier()
    carrier.add(1, node(METER))
    carrier.run(86400)
    assert carrier.frames == []


def test_a_server_sends_to_its_initiator_only():
    carrier = joined()
    for eui in (OTHER, None, b""):
        with pytest.raises(LocalProtocolError):
            carrier.send(1, eui, b"x")
    for apdu, lsaps in ((bytes(240), (1, 1)), (b"x", (0xFD, 0))):
        with pytest.raises(LocalProtocolError):
            carrier.send(1, BASE, apdu, client=lsaps[0], server=lsaps[1])
    with pytest.raises(LocalProtocolError):
        node(METER).send_apdu(BASE, b"x", client=1, server=1, now=0.0)


def test_a_question_that_comes_again_gets_the_same_answer_and_is_taken_once():
    carrier = answering(joined())
    carrier.send(0, METER, b"ask")
    (_, _, question) = carrier.frames[-1]
    carrier.run(130)
    count = len(carrier.frames)
    carrier.inject(0, 1, question.octets)
    assert carrier.apdus(1) == [b"ask"]
    assert len(carrier.frames) == count + 1
    carrier.run(140)
    assert carrier.apdus(0) == [b"to ask"]


def test_equal_answers_keep_their_distance():
    carrier = joined()
    start = carrier.now
    for _ in range(3):
        carrier.send(1, BASE, b"same")
    carrier.send(1, BASE, b"other")
    carrier.run(start + 60)
    assert carrier.apdus(0) == [b"same", b"same", b"same", b"other"]
    sent = [at for at, source, _ in carrier.frames if source == 1 and at >= start]
    assert sent == [start, start + 9, start + 18, start + 18]


def test_a_server_that_is_not_addressed_any_more_is_new_again():
    carrier = joined()
    carrier.remove(0)
    carrier.run(carrier.now + 10_800 + 1)
    assert [event.reason for event in carrier.of(1, Left)] == ["not addressed any more"]
    carrier.add(0, coordinator(OTHER, lambda eui: b""))
    carrier.run(carrier.now + 120)
    assert set(carrier.stations[0].members) == {METER}


def test_what_waits_when_it_leaves_is_undelivered():
    carrier = joined()
    for _ in range(2):
        carrier.send(1, BASE, b"same")
    carrier.stations[0].expel(METER, carrier.now)
    carrier.flush(0)
    carrier.run(carrier.now + 1)
    assert [event.apdu for event in carrier.of(1, Undelivered)] == [b"same"]
    assert [event.reason for event in carrier.of(1, Left)] == ["made NEW by the initiator"]


def test_a_server_searches_for_the_initiator_it_hears_most():
    told = SfskSettings(search_initiator_s=100.0, discover_interval_s=15.0)
    carrier = Carrier()
    server = carrier.add(1, node(METER, told))
    carrier.add(10, coordinator(BASE, lambda eui: b"", SfskSettings(discover_interval_s=1000.0)))
    carrier.add(20, coordinator(OTHER, lambda eui: b"", told))
    carrier.run(95)
    assert server.state is ServerState.UNLOCKED
    carrier.run(200)
    assert METER in carrier.stations[20].members


def test_a_server_that_its_initiator_does_not_want_finds_another():
    told = SfskSettings(locked_for_s=300.0, discover_interval_s=60.0)
    carrier = Carrier()
    carrier.add(1, node(METER, told))
    carrier.add(10, coordinator(BASE, lambda eui: None, told))
    carrier.run(30)
    carrier.add(20, coordinator(OTHER, lambda eui: b"", told))
    carrier.run(600)
    assert set(carrier.stations[20].members) == {METER}
    assert carrier.stations[10].members == {}


def test_only_its_own_initiator_is_heard():
    carrier = joined()
    carrier.send(0, METER, b"ask")
    (_, _, question) = carrier.frames[-1]
    carrier.inject(66, 1, question.octets)
    assert carrier.of(1, Noticed)[-1].kind == "address"
    assert carrier.apdus(1) == []


def test_a_broadcast_is_taken_once():
    carrier = joined(double=1.0, late=2.0)
    carrier.send(0, None, b"all", server=1, client=2)
    carrier.send(0, None, b"all", server=1, client=2)
    carrier.run(carrier.now + 60)
    heard = carrier.of(1, Apdu)
    assert [(one.apdu, one.client, one.server, one.is_broadcast) for one in heard] == [(b"all", 2, 1, True)] * 2
