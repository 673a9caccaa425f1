"""An initiator: finds servers, asks one at a time, gives up, loses and puts out."""

import pytest

from meterway.base.errors import LocalProtocolError
from meterway.stacks.dlms.framing import Noticed
from meterway.stacks.neighbourhood.sfsk import SfskInitiator, SfskSettings, coordinator, node
from meterway.stacks.neighbourhood.sfsk.mac import FIRST_INITIATOR, LAST_INITIATOR
from meterway.stacks.neighbourhood.station import Apdu, Joined, JoinRefused, Left, Undelivered
from stacks.neighbourhood.carrier import Carrier
from stacks.neighbourhood.sfsk.test_server import answering

BASE, OTHER = b"BASE0001", b"BASE0002"


def euis(count):
    return [b"METER%03d" % number for number in range(1, count + 1)]


def network(count, admit=lambda eui: b"", settings=None, until=200, **kw):
    carrier = Carrier(**kw)
    carrier.add(0, coordinator(BASE, admit, settings))
    for number, eui in enumerate(euis(count), 1):
        carrier.add(number, node(eui, settings))
    carrier.run(until)
    return carrier


@pytest.mark.covers("IF-C")
def test_servers_are_found_named_and_known_by_eui():
    carrier = network(25)
    members = carrier.stations[0].members
    assert sorted(members) == euis(25)
    assert len({member.address for member in members.values()}) == 25
    assert all(0 < member.address < FIRST_INITIATOR for member in members.values())
    assert [len(carrier.of(number, Joined)) for number in range(26)] == [25] + [1] * 25


def test_only_the_admitted_join_and_a_refusal_is_told_once():
    welcome = set(euis(6)[::2])
    carrier = network(6, lambda eui: b"" if eui in welcome else None, SfskSettings(discover_interval_s=30.0), 1000)
    assert set(carrier.stations[0].members) == welcome
    refused = [event.eui for event in carrier.of(0, JoinRefused)]
    assert sorted(refused) == sorted(set(euis(6)) - welcome)


def test_one_dialogue_at_a_time_and_urgent_ones_first():
    carrier = answering(network(3))
    one, two, three = euis(3)
    start = len(carrier.frames)
    carrier.send(0, one, b"1")
    carrier.send(0, two, b"2")
    carrier.send(0, three, b"3", urgent=True)
    carrier.run(carrier.now + 10)
    order = [frame.to for _, source, frame in carrier.frames[start:] if source == 0]
    assert order == [1, 3, 2]
    answers = [at for at, source, _ in carrier.frames[start:] if source]
    questions = [at for at, source, _ in carrier.frames[start:] if source == 0]
    assert answers[0] < questions[1]
    assert answers[1] < questions[2]


def test_what_gets_no_answer_is_undelivered_and_the_server_asked_for():
    carrier = network(2)
    one, two = euis(2)
    answering(carrier)
    carrier.deaf.add(1)
    carrier.send(0, one, b"lost")
    carrier.send(0, one, b"lost too")
    carrier.send(0, two, b"fine")
    carrier.run(carrier.now + 300)
    assert [(event.eui, event.apdu) for event in carrier.of(0, Undelivered)] == [(one, b"lost"), (one, b"lost too")]
    assert [event.eui for event in carrier.of(0, Apdu)] == [two]
    assert [(event.member.eui, event.reason) for event in carrier.of(0, Left)] == [(one, "it is not heard any more")]
    with pytest.raises(LocalProtocolError):
        carrier.send(0, one, b"x")


def test_a_lost_answer_is_asked_for_again():
    carrier = answering(network(1))
    (eui,) = euis(1)
    carrier.loss = 0.5
    for number in range(20):
        carrier.send(0, eui, b"%d" % number)
    carrier.run(carrier.now + 1000)
    heard = carrier.apdus(1)
    assert heard == sorted(set(heard), key=int)
    assert len(carrier.apdus(0)) + len(carrier.of(0, Undelivered)) == 20


def test_a_server_that_was_restarted_is_registered_anew():
    carrier = network(2, settings=SfskSettings(discover_interval_s=60.0))
    carrier.add(1, node(euis(2)[0]))
    carrier.run(carrier.now + 120)
    assert [event.reason for event in carrier.of(0, Left)] == ["it was NEW again"]
    assert set(carrier.stations[0].members) == set(euis(2))


def test_a_member_put_out_comes_back_unless_it_is_not_admitted_any_more():
    banned = set()
    carrier = network(2, lambda eui: None if eui in banned else b"", SfskSettings(discover_interval_s=60.0))
    one, two = euis(2)
    banned.add(two)
    for eui in (one, two):
        carrier.stations[0].expel(eui, carrier.now)
        carrier.flush(0)
    assert carrier.stations[0].members == {}
    carrier.run(carrier.now + 300)
    assert set(carrier.stations[0].members) == {one}
    with pytest.raises(LocalProtocolError):
        carrier.stations[0].expel(two, carrier.now)


def test_members_at_rest_stay_for_a_week():
    carrier = network(3, loss=0.05, until=2000)
    assert len(carrier.stations[0].members) == 3
    carrier.run(7 * 86400)
    assert carrier.of(0, Left) == []


def test_two_initiators_do_not_disturb_each_other():
    carrier = Carrier(double=0.2, late=1.0)
    carrier.add(100, coordinator(BASE, lambda eui: b""))
    carrier.add(200, coordinator(OTHER, lambda eui: b""))
    for number, eui in enumerate(euis(10), 1):
        carrier.add(number, node(eui))
    carrier.run(900)
    sides = {number: set(carrier.stations[number].members) for number in (100, 200)}
    assert sides[100] | sides[200] == set(euis(10))
    assert not sides[100] & sides[200]
    answering(carrier)
    for side, members in sides.items():
        for eui in members:
            carrier.send(side, eui, eui)
    carrier.run(1200)
    for number, eui in enumerate(euis(10), 1):
        assert carrier.apdus(number) == [eui]


def test_a_frame_in_the_name_of_another_is_dropped():
    carrier = network(2)
    carrier.send(1, BASE, b"mine")
    (_, _, frame) = carrier.frames[-1]
    carrier.run(carrier.now + 20)
    carrier.inject(2, 0, frame.octets)
    assert carrier.of(0, Noticed)[-1].kind == "address"
    assert carrier.apdus(0) == [b"mine"]


def test_addresses_go_round_and_run_out_kindly():
    initiator = SfskInitiator(BASE, lambda eui: b"", SfskSettings())
    seen = [initiator._next_address() for _ in range(FIRST_INITIATOR - 1)]
    assert sorted(seen) == list(range(1, FIRST_INITIATOR))
    initiator._addresses = dict.fromkeys(seen)
    assert initiator._next_address() is None
    assert FIRST_INITIATOR <= initiator.address <= LAST_INITIATOR
    assert SfskInitiator(BASE, lambda eui: b"", SfskSettings(initiator=0xC07)).address == 0xC07


def test_an_urgent_apdu_does_not_wait_for_the_end_of_a_discovery():
    carrier = answering(network(1, settings=SfskSettings(discover_interval_s=30.0), until=125))
    base = carrier.stations[0]
    while not base._discover_due and base._dialog.value != "discover":
        carrier.run(carrier.now + 1)
    start = carrier.now
    carrier.send(0, euis(1)[0], b"now", urgent=True)
    carrier.run(start + 1)
    assert carrier.apdus(0) == [b"to now"]


def test_equal_urgent_apdus_after_usual_ones_keep_their_order():
    carrier = answering(network(1))
    for number, urgent in ((1, False), (2, True), (3, False)):
        carrier.send(0, euis(1)[0], b"%d" % number, urgent=urgent)
    carrier.run(carrier.now + 60)
    assert carrier.apdus(1) == [b"1", b"2", b"3"]


def test_an_initiator_that_was_restarted_finds_its_idle_servers_again():
    carrier = network(3)
    before = carrier.now
    carrier.add(0, coordinator(BASE, lambda eui: b""))
    carrier.run(before + 6000)
    assert set(carrier.stations[0].members) == set(euis(3))
    assert [event.reason for event in carrier.of(1, Left)] == ["registered anew"]
    answering(carrier)
    for eui in euis(3):
        carrier.send(0, eui, b"again")
    carrier.run(carrier.now + 60)
    assert carrier.apdus(0) == [b"to again"] * 3


def test_an_idle_member_that_reports_stays_a_member():
    carrier = network(2, settings=SfskSettings(ping_interval_s=5000.0, settle_s=1.0, discover_interval_s=60.0))
    carrier.run(86400)
    assert carrier.of(0, Left) == []
    assert len(carrier.of(0, Joined)) == 2
