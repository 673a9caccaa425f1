"""The node's own pace: how it spreads, searches, repeats and pauses."""

from meterway.stacks.neighbourhood import mesh
from meterway.stacks.neighbourhood.station import EVERYONE, Joined, JoinRefused
from meterway.stacks.neighbourhood.wpan import Settings
from meterway.stacks.neighbourhood.wpan.beacon import Beacon
from meterway.stacks.neighbourhood.wpan.node import NodeState
from stacks.neighbourhood.wpan.test_coordinator import network
from stacks.neighbourhood.wpan_net import Net, eui_of, key_of, rng


def beacon():
    return Beacon(pan=0x781D, incarnation=b"1234").frame(1)


def alone(**more):
    net = Net()
    net.add(1, mesh.node(eui_of(1), Settings(random=rng(1), **more), key_of(eui_of(1))))
    return net


def test_a_node_without_a_network_searches_ever_more_rarely():
    net = alone(scan_s=10.0, longest_s=100.0)
    net.run(3600)
    times = len(net.frames)
    assert all(frame.to == EVERYONE for _, frame in net.frames)
    assert 20 < times < 45
    net.run(3600)
    assert 15 < len(net.frames) - times < 40


def test_a_node_repeats_what_is_not_answered_then_waits_longer_and_searches_at_last():
    deaf = network(mesh, 1, run=0.0)
    node = deaf.stations[1]
    node._take_other(beacon(), 0, 0.0)
    del deaf.stations[0]
    deaf.settle(1)
    sent, states = len(deaf.frames), [node.state]
    while node.state is not NodeState.SEARCHING:
        deaf.run(1)
        states += [node.state] if states[-1] is not node.state else []
    joining = [frame for _, frame in deaf.frames[sent:] if frame.to == 0]
    assert len(joining) == 7 * 4, "seven attempts of a question and three repetitions"
    assert len({frame.octets[3:-2] for frame in joining}) == 1
    assert states == [NodeState.FOUND, NodeState.JOINING] * 7 + [NodeState.SEARCHING]
    assert 1000 < deaf.now < 7200


def test_nodes_that_start_together_do_not_speak_together():
    net = network(mesh, 30, run=300.0)
    assert len(net.stations[0].members) == 30
    times = sorted(event.member.address for event in net.of(0, Joined))
    assert times == list(range(1, 31))


def test_messages_that_do_not_fit_are_noticed():
    net = alone()
    node = net.stations[1]
    frame = next(
        frame for number, frame in network(mesh).frames if number == 0 and frame.to == 1
    )  # the challenge of another time
    node.receive_frame(frame.octets, 0, 0.0)
    assert node.next_event().kind == "protocol"
    assert node.coordinator == b""


def test_a_beacon_of_another_place_puts_nobody_out():
    net = network(mesh)
    node = net.stations[1]
    octets = mesh.PROFILE.framing.wrap(beacon(), urgent=False)
    node.receive_frame(octets, 9, net.now)
    assert node.state is NodeState.JOINED
    assert node.next_event().kind == "beacon"
    node.receive_frame(octets, 0, net.now)
    assert node.next_event().reason == "the coordinator began anew"
    assert node.state is NodeState.FOUND


def test_a_node_without_a_key_says_so_and_is_silent():
    net = Net()
    net.add(1, mesh.node(eui_of(1)))
    net.run(7200)
    (refused,) = net.of(1, JoinRefused)
    assert "no key of 16" in refused.reason
    assert not net.frames
