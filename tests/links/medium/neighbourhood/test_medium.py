from itertools import pairwise

import pytest

from meterway.base.errors import ConfigError, LinkError
from meterway.links.medium.neighbourhood.medium import NeighbourhoodMedium
from meterway.links.medium.neighbourhood.settings import preset
from meterway.links.node import BROADCAST

NOON = 1_773_226_800.0
CLEAN = {"loss": 0.0, "hops": 3, "window": 0, "lifetime_s": 0.0}
PATIENT = {"queue": 4000, "lifetime_s": 0.0}


def medium(size=25, profile="prime", **changes):
    """A coordinator and some nodes: node n stands on feeder (n - 1) % 8, 1 to 8 one hop away, 9 to 16 two."""
    told = []
    made = NeighbourhoodMedium(preset(profile, **changes), on_carried=told.append)
    for number in range(size):
        made.join(number, NOON)
    return made, told


def settle(made, until=float("inf")):
    """All that arrives, event by event."""
    arrived = []
    while (due := made.next_due()) is not None and due <= until:
        arrived += made.settle(due)
    return arrived


def waiting(made):
    return sum(node.waiting() for node in made._nodes)


def test_a_frame_takes_a_transmission_for_each_hop_and_its_time():
    made, told = medium(**CLEAN, backoff_s=0.0)
    made.send(0, 17, b"x" * 50, NOON)
    (arrival,) = settle(made)
    each = made.settings.gap_s + made.settings.airtime_s(50) + made.settings.ack_s
    assert (arrival.node, arrival.source, arrival.octets, arrival.hops) == (17, 0, b"x" * 50, 3)
    assert arrival.time_s == pytest.approx(NOON + 3 * each)
    assert [(one.sender, one.receiver, one.result) for one in told] == [
        (0, 1, "passed"),
        (1, 9, "passed"),
        (9, 17, "arrived"),
    ]
    assert made.statistics.airtime_s == pytest.approx(3 * each, abs=1e-5)


def test_a_node_reaches_its_coordinator_and_another_node():
    made, _ = medium(**CLEAN)
    made.send(17, 0, b"up", NOON)
    made.send(17, 18, b"across", NOON)
    arrived = {arrival.octets: arrival for arrival in settle(made)}
    assert (arrived[b"up"].node, arrived[b"up"].hops) == (0, 3)
    assert (arrived[b"across"].node, arrived[b"across"].hops) == (18, 6)


@pytest.mark.parametrize("profile", ["prime", "g3", "s-fsk"])
def test_one_at_a_time_is_on_a_power_line(profile):
    made, told = medium(100, profile, seed=3, lifetime_s=0.0)
    for number in range(1, 100):
        made.send(0, number, bytes(60), NOON)
        made.send(number, 0, bytes(60), NOON)
    settle(made)
    times = sorted((one.start_s, one.end_s) for one in told)
    assert len(times) > 200
    assert all(before[1] <= after[0] for before, after in pairwise(times))
    assert made.statistics.airtime_s <= times[-1][1] - NOON + 1e-3


def test_every_frame_for_one_node_is_delivered_or_lost_or_still_waits():
    made, _ = medium(100, seed=3, repetitions=0, lifetime_s=0.0)
    for number in range(1, 100):
        made.send(0, number, bytes(60), NOON)
        made.send(number, 0, bytes(60), NOON)
    settle(made, NOON + 5.0)
    counts = made.statistics
    assert 0 < counts.delivered < 198
    assert counts.sent == counts.delivered + counts.lost.total() + waiting(made) + len(made._flight)
    settle(made)
    assert counts.sent == counts.delivered + counts.lost.total() == 198
    assert counts.lost["noise"] > 0
    assert counts.lost["collision"] > 0


def test_each_hop_loses_its_share_before_repetition_and_hardly_anything_after():
    made, _ = medium(25, loss=0.10, hops=3, window=0, repetitions=4, **PATIENT)
    for _ in range(100):
        for number in range(1, 25):
            made.send(0, number, bytes(20), NOON)
    settle(made)
    counts = made.statistics
    assert counts.failed["noise"] / counts.transmissions == pytest.approx(0.10, abs=0.01)
    assert counts.lost.total() <= 2
    assert counts.transmissions == pytest.approx(100 * 8 * (1 + 2 + 3) / 0.9, rel=0.03)


def test_without_repetition_three_lossy_hops_lose_what_three_hops_lose():
    made, _ = medium(25, loss=0.10, hops=3, window=0, repetitions=0, **PATIENT)
    for _ in range(2000):
        made.send(0, 17, bytes(20), NOON)
    settle(made)
    assert made.statistics.delivered / 2000 == pytest.approx(0.9**3, abs=0.03)


def test_an_urgent_frame_goes_before_all_that_wait():
    made, _ = medium(**CLEAN)
    for number in range(20):
        made.send(0, 17, b"usual %d" % number, NOON)
    made.send(0, 17, b"urgent", NOON, urgent=True)
    order = [arrival.octets for arrival in settle(made)]
    assert order[:2] == [b"urgent", b"usual 0"]  # overtook even the one that was on the medium, at the next hops
    assert len(order) == 21


def test_an_urgent_frame_at_another_node_goes_before_the_usual_ones_of_all():
    made, told = medium(**CLEAN)
    for number in range(1, 25):
        made.send(number, 0, b"usual", NOON)
    made.send(24, 0, b"urgent", NOON, urgent=True)
    settle(made)
    assert [one.octets for one in told][1:4] == [b"urgent"] * 3


def test_a_broadcast_is_repeated_by_every_switch_once_and_heard_by_all_once():
    made, told = medium(25, **CLEAN)
    made.send(0, BROADCAST, b"time", NOON)
    arrived = settle(made)
    assert sorted(arrival.node for arrival in arrived) == list(range(1, 25))
    assert {arrival.is_broadcast for arrival in arrived} == {True}
    assert max(arrival.hops for arrival in arrived) == 3
    assert sorted(one.sender for one in told) == list(range(17))  # the coordinator and 16 switches, not the 8 leaves
    each = made.settings.airtime_s(4)
    assert 17 * (each + made.settings.gap_s) <= made.statistics.airtime_s
    assert made.statistics.airtime_s <= 17 * (each + made.settings.gap_s + made.settings.backoff_s)
    assert (made.statistics.broadcasts, made.statistics.heard) == (1, 24)


def test_a_broadcast_is_not_repeated_if_lost():
    made, _ = medium(25, loss=0.3, hops=3, window=0, **PATIENT)
    for _ in range(200):
        made.send(0, BROADCAST, b"time", NOON)
    arrived = settle(made)
    near = sum(arrival.node <= 8 for arrival in arrived) / 8 / 200
    far = sum(arrival.node > 16 for arrival in arrived) / 8 / 200
    assert near == pytest.approx(0.7, abs=0.05)
    assert far == pytest.approx(0.7**3, abs=0.05)


def test_a_nodes_broadcast_is_carried_on_its_way_up_only():
    made, told = medium(25, **CLEAN)
    made.send(17, BROADCAST, b"is anybody there", NOON)
    arrived = settle(made)
    assert [one.sender for one in told] == [17, 9, 1]
    assert {0, 1, 9} <= {arrival.node for arrival in arrived}


def test_what_goes_through_a_vanished_node_is_lost_until_routes_follow():
    made, _ = medium(33, **CLEAN, repair_s=60.0)
    made.send(0, 17, b"before", NOON)
    settle(made)
    made.leave(9, NOON + 10)
    made.send(0, 17, b"meanwhile", NOON + 11)
    assert settle(made) == []
    assert made.statistics.lost["vanished"] == 1
    made.send(0, 9, b"to the vanished", NOON + 71)
    assert settle(made) == []
    assert made.statistics.lost["no route"] == 1


def test_routes_go_round_a_vanished_node_and_may_come_back():
    made, _ = medium(49, **CLEAN, repair_s=60.0)
    by_node = {route.node: route for route in made.routes(NOON)}
    parent = by_node[17].parent
    made.leave(parent, NOON)
    after = {route.node: route for route in made.routes(NOON + 61)}
    assert after[17].parent not in (parent, None)
    assert not after[parent].present
    made.send(0, 17, b"round", NOON + 61)
    assert [arrival.octets for arrival in settle(made)] == [b"round"]
    made.join(parent, NOON + 100)
    made.send(0, parent, b"welcome back", NOON + 161)
    assert [arrival.octets for arrival in settle(made)] == [b"welcome back"]


def test_what_waits_at_a_node_that_vanishes_is_lost_with_it():
    made, _ = medium(**CLEAN)
    for _ in range(5):
        made.send(17, 0, b"x", NOON)
    made.leave(17, NOON)
    assert settle(made) == []
    assert made.statistics.lost["vanished"] == 5
    with pytest.raises(LinkError, match="17"):
        made.send(17, 0, b"x", NOON + 1)


def test_a_node_can_be_reached_from_each_of_two_coordinators_and_belongs_to_the_nearer():
    made = NeighbourhoodMedium(preset("prime", coordinators=(0, 1), loss=0.0, reach_m=100.0))
    for number, metres in ((0, 0.0), (1, 500.0), (2, 100.0), (3, 200.0), (4, 300.0), (5, 400.0)):
        made.join(number, NOON, (0.0, metres))
    routes = {route.node: route for route in made.routes(NOON)}
    assert [(routes[node].coordinator, routes[node].hops) for node in range(2, 6)] == [(0, 1), (0, 2), (1, 2), (1, 1)]
    made.send(0, 5, b"far", NOON)
    made.send(1, 5, b"near", NOON)
    made.send(5, 0, b"to the far one", NOON)
    arrived = {arrival.octets: arrival.hops for arrival in settle(made)}
    assert arrived == {b"far": 4, b"near": 1, b"to the far one": 4}


def test_when_a_coordinator_vanishes_its_nodes_belong_to_the_stand_by():
    made = NeighbourhoodMedium(preset("prime", coordinators=(0, 1), loss=0.0, hops=2))
    for number in range(10):
        made.join(number, NOON)
    made.leave(0, NOON)
    assert {route.coordinator for route in made.routes(NOON + 100) if route.present} == {1}
    made.send(9, BROADCAST, b"who is there", NOON + 100)
    assert 1 in {arrival.node for arrival in settle(made)}


def test_routes_change_with_the_noise_of_the_day():
    made, _ = medium(200, seed=7)
    night = {route.node: route.parent for route in made.routes(NOON - 8 * 3600)}
    evening = {route.node: route.parent for route in made.routes(NOON + 7 * 3600)}
    changed = sum(night[node] != evening[node] for node in night)
    assert 20 < changed < 200
    assert made.statistics.reroutes == 2


def test_a_delivered_frame_may_come_twice():
    made, _ = medium(**CLEAN, duplicated=0.5)
    for number in range(200):
        made.send(0, 1, b"%d" % number, NOON)
    arrived = settle(made)
    assert made.statistics.delivered == 200
    assert len(arrived) == 200 + made.statistics.duplicated
    assert 70 < made.statistics.duplicated < 130


def test_a_full_queue_loses_what_comes():
    made, _ = medium(**CLEAN, queue=3)
    for number in range(10):
        made.send(0, 1, b"%d" % number, NOON)
    assert made.routes(NOON)[0].queue == 3
    settle(made)
    assert (made.statistics.delivered, made.statistics.lost["queue"]) == (4, 6)


def test_a_frame_that_waits_too_long_is_not_sent_any_more():
    made, _ = medium(**(CLEAN | {"lifetime_s": 1.0}))
    for number in range(100):
        made.send(0, 17, b"%d" % number, NOON)
    arrived = settle(made)
    assert 5 < len(arrived) < 50
    assert made.statistics.lost["late"] == 100 - len(arrived)
    assert max(arrival.time_s for arrival in arrived) < NOON + 1.5


def test_who_waits_with_others_collides_now_and_then():
    made, _ = medium(25, loss=0.0, hops=3, window=8, repetitions=20, **PATIENT)
    for number in range(1, 9):
        for _ in range(100):
            made.send(number, 0, b"x", NOON)
    settle(made)
    share = made.statistics.failed["collision"] / made.statistics.transmissions
    assert share == pytest.approx(1 - (63 / 64) ** 7, abs=0.025)  # 8 slots are not enough for 8, 64 are
    assert made.statistics.delivered == 800


def test_radio_nodes_far_from_each_other_send_at_the_same_time():
    made = NeighbourhoodMedium(
        preset("rf-mesh", loss=0.0, coordinators=(0, 2), window=0), on_carried=(told := []).append
    )
    for number, east in ((0, 0.0), (1, 50.0), (2, 9000.0), (3, 9050.0)):
        made.join(number, NOON, (east, 0.0))
    for _ in range(10):
        made.send(0, 1, bytes(500), NOON)
        made.send(2, 3, bytes(500), NOON)
    settle(made)
    for sender in (0, 2):
        times = [(one.start_s, one.end_s) for one in told if one.sender == sender]
        assert all(before[1] <= after[0] for before, after in pairwise(times))
    assert made.statistics.delivered == 20
    assert made.statistics.airtime_s > 1.8 * (max(one.end_s for one in told) - NOON)


def test_two_that_do_not_hear_each_other_collide_at_one_between_them():
    made = NeighbourhoodMedium(
        preset("rf-mesh", loss=0.0, shadow_db=0.0, window=0, repetitions=1, backoff_s=0.0),
        on_carried=(told := []).append,
    )
    for number, east in ((0, 0.0), (1, -190.0), (2, 190.0)):
        made.join(number, NOON, (east, 0.0))
    made.send(1, 0, bytes(500), NOON)
    made.send(2, 0, bytes(500), NOON)
    settle(made)
    assert [one.result for one in told] == ["collision"] * 4
    assert made.statistics.lost["collision"] == 2


@pytest.mark.parametrize("profile", ["prime", "rf-mesh"])
def test_the_same_seed_does_the_same_and_another_does_not(profile):
    def story(seed):
        made, told = medium(60, profile, seed=seed)
        for number in range(1, 60):
            made.send(number, 0, bytes(30), NOON)
        made.send(0, BROADCAST, b"x", NOON)
        settle(made)
        return told

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_what_cannot_be_sent_is_refused_in_words():
    made, _ = medium(3, **CLEAN)
    with pytest.raises(LinkError, match="node 9"):
        made.send(9, 0, b"x", NOON)
    with pytest.raises(LinkError, match="1 to 1024 octets, not 1025"):
        made.send(0, 1, bytes(1025), NOON)
    with pytest.raises(LinkError, match="not 0"):
        made.send(0, 1, b"", NOON)
    with pytest.raises(ConfigError, match="already"):
        made.join(1, NOON)
    with pytest.raises(ConfigError, match="65535"):
        made.join(BROADCAST, NOON)
    made.send(0, 7, b"x", NOON)
    made.send(0, 0, b"x", NOON)
    assert made.statistics.lost["no route"] == 2
    made.leave(7, NOON)


def test_the_chance_of_a_link_is_told():
    made, _ = medium(10, loss=0.2, hops=3)
    assert made.chance(0, 1, NOON) == pytest.approx(0.8)
    assert made.chance(0, 9, NOON) == made.chance(0, 0, NOON) == made.chance(0, 77, NOON) == 0.0
    assert made.nodes == dict.fromkeys(range(10), True)


def test_a_node_that_moves_gets_other_links():
    made = NeighbourhoodMedium(preset("prime", loss=0.0, reach_m=100.0))
    for number, metres in ((0, 0.0), (1, 100.0), (2, 200.0)):
        made.join(number, NOON, (0.0, metres))
    assert made.routes(NOON)[2].hops == 2
    made.leave(2, NOON)
    made.join(2, NOON, (0.0, 50.0))
    assert made.routes(NOON + 61)[2].hops == 1


def test_a_network_without_nodes_has_no_routes():
    made = NeighbourhoodMedium(preset("prime"))
    assert made.routes(NOON) == []
    assert made.settle(NOON) == []
    assert made.next_due() is None
