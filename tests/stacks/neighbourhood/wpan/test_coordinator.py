"""The coordinator with nodes: joining, APDUs both ways, leaving, lossy carriers, hundreds of nodes."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.base.crc import kermit, xmodem
from meterway.base.errors import LocalProtocolError
from meterway.stacks.dlms.framing import Noticed
from meterway.stacks.neighbourhood import g3, mesh
from meterway.stacks.neighbourhood.station import (
    EVERYONE,
    Apdu,
    Coordinator,
    Joined,
    JoinRefused,
    Left,
    Station,
    Undelivered,
)
from meterway.stacks.neighbourhood.wpan import Settings
from stacks.neighbourhood.wpan_net import EUI, Net, eui_of, key_of, rng

BOTH = pytest.mark.parametrize("profile", [g3, mesh], ids=["g3", "mesh"])


def network(profile, nodes=1, *, fate=None, admit=key_of, run=180.0, **more):
    net = Net(**({} if fate is None else {"fate": fate}))
    net.add(0, profile.coordinator(EUI, admit, Settings(random=rng(0), **more)))
    for number in range(1, nodes + 1):
        eui = eui_of(number)
        net.add(number, profile.node(eui, Settings(random=rng(number), **more), key_of(eui)))
    net.run(run)
    return net


@BOTH
@pytest.mark.covers("IF-C", "E-NNAP-1", "SEC-03")
def test_a_device_joins_and_both_know_it(profile):
    net = network(profile)
    eui = eui_of(1)
    (joined,) = net.of(0, Joined)
    assert joined.member.eui == eui
    assert (joined.member.node, joined.member.address) == (1, 1)
    assert net.stations[0].members == {eui: joined.member}
    (own,) = net.of(1, Joined)
    assert (own.member.eui, own.member.address) == (eui, 1)
    assert net.stations[1].coordinator == EUI
    coordinator: Coordinator = net.stations[0]
    node: Station = net.stations[1]
    assert coordinator.max_apdu == node.max_apdu == 1224


@BOTH
@pytest.mark.covers("IF-C", "E-NNAP-2")
@pytest.mark.parametrize("size", [1, 80, 400, 1224])
def test_apdus_go_both_ways(profile, size):
    net = network(profile)
    ask, answer = Random(1).randbytes(size), Random(2).randbytes(size)
    net.send(0, eui_of(1), ask, client=16, server=3, urgent=True)
    net.run(1)
    assert net.of(1, Apdu) == [Apdu(eui=EUI, apdu=ask, client=16, server=3)]
    net.send(1, EUI, answer, client=16, server=3)
    net.run(1)
    assert net.of(0, Apdu) == [Apdu(eui=eui_of(1), apdu=answer, client=16, server=3)]
    limit = profile.FRAME
    assert all(len(frame.octets) <= limit for _, frame in net.frames)
    assert all(ask[:16] not in frame.octets or size < 16 for _, frame in net.frames), "nothing goes in clear"


@BOTH
@pytest.mark.covers("E-NNAP-5")
def test_one_broadcast_reaches_all(profile):
    net = network(profile, 3)
    net.send(0, None, b"to all", client=1, server=2)
    net.run(1)
    for number in (1, 2, 3):
        assert net.of(number, Apdu) == [Apdu(eui=EUI, apdu=b"to all", client=1, server=2, is_broadcast=True)]


@BOTH
@pytest.mark.covers("SEC-03")
def test_a_device_with_another_key_is_refused_with_the_reason(profile):
    net = network(profile, admit=lambda eui: bytes(16))
    assert not net.stations[0].members
    (refused,) = net.of(0, JoinRefused)
    assert refused == JoinRefused(eui=eui_of(1), reason="the device does not prove that it has the key")
    (own,) = net.of(1, JoinRefused)
    assert "declined" in own.reason
    net.run(1800)
    assert len(net.of(0, JoinRefused)) in (3, 4), "it asks again, with pauses"


@BOTH
@pytest.mark.parametrize(("key", "reason"), [(None, "may not"), (b"", "16 octets")])
def test_a_device_that_may_not_join_is_refused(profile, key, reason):
    net = network(profile, admit=lambda eui: key)
    (refused,) = net.of(0, JoinRefused)
    assert reason in refused.reason


@BOTH
def test_who_is_expelled_is_out_and_may_come_back(profile):
    net = network(profile, declined_s=600.0)
    net.stations[0].expel(eui_of(1), net.now)
    net.settle(0)
    net.run(1)
    assert net.of(0, Left)[0].reason == "it was expelled"
    assert net.of(1, Left)[0].reason == "the coordinator expelled it"
    with pytest.raises(LocalProtocolError):
        net.send(0, eui_of(1), b"x")
    with pytest.raises(LocalProtocolError):
        net.stations[0].expel(eui_of(1), net.now)
    net.run(1200)
    assert len(net.of(0, Joined)) == 2
    assert net.of(0, Joined)[0].member == net.of(0, Joined)[1].member, "it has its address again"


@BOTH
def test_who_leaves_says_so(profile):
    net = network(profile)
    net.stations[1].leave(net.now)
    net.settle(1)
    net.run(1)
    assert net.of(0, Left)[0].reason == "it said that it leaves"
    assert not net.stations[0].members


@BOTH
def test_a_coordinator_that_begins_anew_is_joined_again(profile):
    net = network(profile, 3)
    old = net.events[0]
    net.add(0, profile.coordinator(EUI, key_of, Settings(random=rng(77))))
    assert old is not net.events[0]
    net.run(600)
    assert len(net.stations[0].members) == 3
    for number in (1, 2, 3):
        assert net.of(number, Left)[0].reason == "the coordinator began anew"
        net.send(0, eui_of(number), b"hello")
    net.run(1)
    assert [len(net.of(number, Apdu)) for number in (1, 2, 3)] == [1, 1, 1]


@BOTH
def test_a_device_that_restarts_joins_again_and_what_it_missed_is_undelivered(profile):
    net = network(profile)
    del net.stations[1]
    net.send(0, eui_of(1), b"missed")
    net.run(5)
    net.add(1, profile.node(eui_of(1), Settings(random=rng(9)), key_of(eui_of(1))))
    net.run(200)
    assert net.of(0, Undelivered) == [Undelivered(eui=eui_of(1), apdu=b"missed", reason="the device joined again")]
    net.send(0, eui_of(1), b"again")
    net.run(1)
    net.send(1, EUI, b"yes")
    net.run(1)
    assert [event.apdu for event in net.of(1, Apdu)] == [b"again"]
    assert [event.apdu for event in net.of(0, Apdu)] == [b"yes"]


@BOTH
def test_who_is_not_heard_is_forgotten(profile):
    net = network(profile, forget_s=3600.0)
    del net.stations[1]
    net.send(0, eui_of(1), b"where are you")
    net.run(3700)
    assert net.of(0, Left)[0].reason == "it was not heard any more"
    assert net.of(0, Undelivered)[0].apdu == b"where are you"


@BOTH
def test_a_network_that_is_silent_is_searched_anew(profile):
    net = network(profile, silence_s=3600.0, beacon_s=900.0)
    net.run(7200)
    assert not net.of(1, Left), "beacons say that it is there"
    del net.stations[0]
    net.run(3700)
    assert net.of(1, Left)[0].reason == "the network was not heard any more"


@BOTH
@pytest.mark.covers("SEC-05")
def test_a_frame_that_comes_twice_is_taken_once(profile):
    net = network(profile, fate=lambda frame: (0.05, 0.06, 5.0))
    net.send(0, eui_of(1), b"once" * 200)
    net.send(1, EUI, b"and once" * 100)
    net.run(10)
    assert len(net.of(0, Apdu)) == len(net.of(1, Apdu)) == 1
    assert "counter" in {event.kind for event in net.of(0, Noticed)}


@BOTH
@pytest.mark.covers("SEC-11")
@settings(max_examples=25)
@given(seed=st.integers(0, 10**9), loss=st.floats(0, 0.4), doubled=st.floats(0, 0.4), slow=st.floats(0, 20))
def test_over_any_carrier_nothing_wrong_doubled_or_mixed_gets_up(profile, seed, loss, doubled, slow):
    chance = Random(seed)

    def fate(frame):
        copies = 0 if chance.random() < loss else 2 if chance.random() < doubled else 1
        return [0.05 + chance.random() * slow for _ in range(copies)]

    net = network(profile, 3, fate=fate, run=600.0, declined_s=30.0, longest_s=40.0)
    sent = {0: [], 1: [], 2: [], 3: []}
    for number in range(12):
        at = 1 + number % 3
        for source, target, eui in ((0, at, eui_of(at)), (at, 0, EUI)):
            apdu = bytes([number, source]) * chance.randrange(1, 500)
            try:
                net.send(source, eui, apdu, urgent=chance.random() < 0.3)
            except LocalProtocolError:
                continue
            sent[target].append((net.stations[source].eui, apdu))
        net.run(chance.random() * 10)
    net.run(30)
    for target in sent:
        got = [(event.eui, event.apdu) for event in net.of(target, Apdu)]
        assert len(set(got)) == len(got), "doubled"
        assert set(got) <= set(sent[target]), "wrong or mixed"
    if loss == 0 and slow < 5:
        assert len(net.stations[0].members) == 3
        assert all(len(net.of(target, Apdu)) == len(sent[target]) for target in sent)


@BOTH
@pytest.mark.covers("SEC-11")
@settings(max_examples=60)
@given(data=st.data())
def test_changed_and_invented_frames_are_survived(profile, data):
    net = network(profile, 2)
    recorded = [frame.octets for _, frame in net.frames]
    for _ in range(data.draw(st.integers(1, 8))):
        octets = data.draw(st.sampled_from(recorded) | st.binary(max_size=60))
        place, change = data.draw(st.integers(0, 200)), data.draw(st.integers(0, 255))
        body = bytearray(octets)
        if body:
            body[place % len(body)] ^= change
        body = bytes(body)
        if data.draw(st.booleans()):  # the check is right, so that what is inside is looked at
            from meterway.stacks.neighbourhood.ieee802154 import with_fcs

            body = with_fcs(body[:-2], xmodem if profile is g3 else kermit)
        net.stations[data.draw(st.sampled_from([0, 1, 2]))].receive_frame(body, data.draw(st.integers(0, 3)), net.now)
    for number in (0, 1, 2):
        net.settle(number)
        assert not net.of(number, Apdu)
    # A forged beacon may make a node join again, and again at the next right one.
    net.run(4 * 3600)
    net.send(0, eui_of(1), b"still here")
    net.run(1)
    assert [event.apdu for event in net.of(1, Apdu)] == [b"still here"]


@BOTH
def test_frames_of_others_are_noticed_and_nothing_else(profile):
    net = network(profile, 2)
    one = next(frame for number, frame in reversed(net.frames) if number == 1)
    other = network(profile, 0, pan=0x1034)
    other.stations[0].receive_frame(one.octets, 1, 0.0)
    other.settle(0)
    (noticed,) = other.of(0, Noticed)
    assert "another network" in noticed.message
    assert not other.stations[0].frames_to_send()


@BOTH
def test_what_a_node_may_not_send_is_refused(profile):
    net = network(profile)
    node = net.stations[1]
    for eui, apdu in ((None, b"x"), (eui_of(2), b"x"), (EUI, bytes(1225))):
        with pytest.raises(LocalProtocolError):
            node.send_apdu(eui, apdu, client=1, server=1, now=net.now)
    with pytest.raises(LocalProtocolError):
        net.stations[0].send_apdu(eui_of(1), bytes(1225), client=1, server=1, now=net.now)
    fresh = profile.node(eui_of(5), Settings(random=rng(5)), key_of(eui_of(5)))
    with pytest.raises(LocalProtocolError):
        fresh.send_apdu(EUI, b"x", client=1, server=1, now=0.0)
    with pytest.raises(LocalProtocolError):
        fresh.leave(0.0)
    with pytest.raises(LocalProtocolError, match="eight"):
        profile.node(b"short", Settings(), bytes(16))


@BOTH
@pytest.mark.covers("E-NNAP-1", "P2")
def test_three_hundred_nodes_join_and_answer(profile):
    net = network(profile, 300, run=900.0)
    assert len(net.stations[0].members) == 300
    assert len({member.address for member in net.stations[0].members.values()}) == 300
    for _ in range(3):
        for number in range(1, 301):
            net.send(0, eui_of(number), b"read" * 20)
            net.send(number, EUI, b"values" * 100)
        net.run(5)
    assert len(net.of(0, Apdu)) == 900
    assert len(net.frames) > 3000


@BOTH
def test_a_beacon_request_is_answered_once_a_second(profile):
    net = network(profile, 0)
    from meterway.stacks.neighbourhood.wpan.beacon import beacon_request

    request = profile.PROFILE.framing.wrap(beacon_request(1), urgent=False)
    for _ in range(5):
        net.stations[0].receive_frame(request, 1, net.now)
    (beacon,) = net.stations[0].frames_to_send()
    assert beacon.to == EVERYONE
    assert replace(beacon, octets=b"").urgent is False
