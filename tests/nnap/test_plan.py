"""Who is asked next: few at once, the longest unread first, the dead never in the way of the living."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.nnap.node import Node
from meterway.nnap.plan import Plan, PlanRules, Window
from meterway.stacks.neighbourhood.station import Member

pytestmark = pytest.mark.covers("E-NNAP")


def nodes(count):
    made = []
    for number in range(1, count + 1):
        eui = number.to_bytes(8, "big")
        one = Node(eui=eui, serial=f"M{number}", channel=number, keys=object())
        one.member = Member(eui=eui, node=number, address=number)
        made.append(one)
    return made


def test_no_more_than_the_places_run_and_each_node_runs_once():
    plan, all_nodes = Plan(PlanRules(parallel=2)), nodes(3)
    first, second = plan.choose(all_nodes, 0.0), plan.choose(all_nodes, 0.0)
    assert first is not second
    assert plan.choose(all_nodes, 0.0) is None
    plan.ended(first, 10.0, well=True)
    assert plan.choose(all_nodes, 10.0) is all_nodes[2]


@pytest.mark.covers("E-NNAP-3")
def test_the_longest_unread_comes_first_and_is_not_asked_again_before_its_time():
    plan, all_nodes = Plan(PlanRules(parallel=1, every_s=100.0)), nodes(3)
    for one, read in zip(all_nodes, (30.0, 10.0, 20.0), strict=True):
        one.turn.read_s = read
    order = []
    for _ in range(3):
        one = plan.choose(all_nodes, 50.0)
        plan.ended(one, 50.0, well=True)
        order.append(one.serial)
    assert order == ["M2", "M3", "M1"]
    assert plan.choose(all_nodes, 149.0) is None
    assert plan.choose(all_nodes, 150.0) is not None


def test_a_failure_waits_twice_as_long_each_time_up_to_a_bound():
    plan, (one,) = Plan(PlanRules(retry_s=60.0, most_retry_s=200.0)), nodes(1)
    waits = []
    for _ in range(4):
        plan.ended(one, 0.0, well=False)
        waits.append(one.turn.next_s)
    assert waits == [60.0, 120.0, 200.0, 200.0]
    plan.ended(one, 0.0, well=True)
    assert one.turn.failures == 0


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 30), st.integers(0, 60))
def test_dead_meters_never_keep_the_living_waiting(places, living, dead):
    """A dead one holds its place for 60 s each time, a living one for 5 s."""
    plan = Plan(PlanRules(parallel=places, retry_s=1.0, most_retry_s=1.0, every_s=1e9))
    all_nodes = nodes(living + dead)
    alive = set(all_nodes[:living])
    running, now = [], 0.0
    while any(one.turn.read_s == 0.0 for one in alive):
        while (one := plan.choose(all_nodes, now)) is not None:
            running.append((now + (5.0 if one in alive else 60.0), one.channel, one))
        running.sort(key=lambda entry: entry[:2])
        assert running, "somebody is always asked"
        now, _, one = running.pop(0)
        plan.ended(one, now, well=one in alive)
        healthy_places = max(1, places - places // 2)
        assert now <= (65.0 if dead else 5.0) * (living / healthy_places + 2) + 61.0 * (2 if dead else 0)


def test_bulk_keeps_to_its_windows():
    plan = Plan(PlanRules(windows=(Window(from_s=79200, to_s=21600),)))
    all_nodes = nodes(1)
    assert plan.choose(all_nodes, 12 * 3600.0) is None
    assert Window(from_s=10, to_s=20).holds(86400 + 15)
    assert not Window(from_s=10, to_s=20).holds(86400 + 25)
    assert plan.choose(all_nodes, 23 * 3600.0) is all_nodes[0]


def test_a_node_that_is_away_or_has_no_keys_is_not_asked():
    plan, (one, other) = Plan(PlanRules()), nodes(2)
    one.member, other.keys = None, None
    assert plan.choose([one, other], 0.0) is None
    plan.forget(one)
