"""The watch over the neighbourhood: each rule raises, ends, and does not flutter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.mapping.alarms import Alarm, AlarmKind
from meterway.nnap.node import Node, Proposal
from meterway.nnap.watch import Watch, WatchRules
from meterway.stacks.dlms.security.context import Keys

pytestmark = pytest.mark.covers("E-NNAP-8", "E-NNAP-1", "SEC-09")
KEYS = Keys(bytes(16), bytes(16))
RULES = WatchRules(start_s=0.0)


class Street:
    """Nodes that come and go by hand, looked at every half minute."""

    def __init__(self, count=6, rules=RULES, standing=()):
        self.now = 1_000_000.0
        self.nodes = [
            Node(eui=bytes(7) + bytes((number,)), serial=f"M{number}", channel=number, keys=KEYS, listed_s=self.now)
            for number in range(1, count + 1)
        ]
        for node in self.nodes:
            self.come(node)
        self.proposals = []
        self.watch = Watch(rules, period_s=3600.0, now=self.now, standing=standing)

    def come(self, node):
        node.member, node.joined_s = object(), node.joined_s or self.now
        node.turn.read_s = self.now

    def go(self, *numbers):
        for number in numbers:
            self.nodes[number - 1].member = None

    def through(self, number, parent):
        self.nodes[number - 1].parent = self.nodes[parent - 1].eui if parent else b""

    def run(self, seconds, *, read=True):
        end = self.now + seconds
        while self.now < end:
            self.now += 30
            for node in self.nodes:
                if read and node.member is not None:
                    node.turn.read_s = self.now
            self.watch.look(self.nodes, self.proposals, self.now)

    def told(self):
        told, self.watch.told = self.watch.told, []
        return [(one.kind, one.subject, one.stands) for one in told]


def test_a_node_that_is_gone_for_long_enough_is_missed_and_back_after_a_while():
    street = Street()
    street.go(2)
    street.run(870)
    assert street.told() == []
    street.run(120)
    assert street.told() == [(AlarmKind.LOST, "M2", True)]
    street.come(street.nodes[1])
    street.run(240)
    assert street.told() == []
    street.run(120)
    assert street.told() == [(AlarmKind.LOST, "M2", False)]
    assert [one.stands for one in street.watch.alarms()] == [False]


def test_one_that_comes_and_goes_raises_no_storm():
    street = Street()
    for _ in range(200):
        street.go(2)
        street.run(600)
        street.come(street.nodes[1])
        street.run(60)
    assert street.told() == []
    street.go(2)
    street.run(1000)
    for _ in range(100):
        street.come(street.nodes[1])
        street.run(200)
        street.go(2)
        street.run(1000)
    assert street.told() == [(AlarmKind.LOST, "M2", True)]


def test_a_node_that_is_silent_counts_as_gone_and_one_that_never_joined_is_not_missed():
    street = Street()
    street.nodes[0].silent = True
    street.nodes[1].member, street.nodes[1].joined_s = None, 0.0
    street.run(1000)
    assert street.told() == [(AlarmKind.LOST, "M1", True)]


def test_a_switch_that_takes_a_branch_with_it_is_one_alarm():
    street = Street(count=12)
    for number in (3, 4, 5):
        street.through(number, 2)
    street.through(6, 5)
    street.go(2, 3, 4, 5, 6)
    street.run(1000)
    assert street.told() == [(AlarmKind.BRANCH, "M2", True)]
    (alarm,) = street.watch.alarms()
    assert (alarm.count, alarm.text) == (5, "4 behind it are gone too")
    for number in (2, 3, 4, 5, 6):
        street.come(street.nodes[number - 1])
    street.run(1000)
    assert street.told() == [(AlarmKind.BRANCH, "M2", False)]


def test_nodes_missed_before_their_switch_become_part_of_its_alarm():
    street = Street(count=12)
    for number in (3, 4, 5):
        street.through(number, 2)
    street.go(3)
    street.run(1000)
    assert street.told() == [(AlarmKind.LOST, "M3", True)]
    street.go(2, 4, 5)
    street.run(1500)
    assert street.told() == [(AlarmKind.LOST, "M3", False), (AlarmKind.BRANCH, "M2", True)]
    ended = next(one for one in street.watch.alarms() if not one.stands)
    assert ended.text == "part of a greater alarm now"


def test_most_of_the_network_gone_is_one_alarm_of_the_medium():
    street = Street(count=20)
    street.go(*range(1, 16))
    street.run(2000)
    assert street.told() == [(AlarmKind.MEDIUM, "", True)]
    assert street.watch.alarms()[0].text == "15 of 20 gone"


def test_ways_that_change_often_are_an_alarm_and_half_as_many_end_it():
    street = Street()
    for turn in range(5):
        street.through(3, 1 + turn % 2)
        street.run(120)
    assert street.told() == []
    for turn in range(3):
        street.through(3, 2 - turn % 2)
        street.run(120)
    assert street.told() == [(AlarmKind.FLAPPING, "M3", True)]
    street.run(2400)
    assert street.told() == []
    street.run(2400)
    assert street.told() == [(AlarmKind.FLAPPING, "M3", False)]


def test_joining_again_and_again_is_a_change_of_way_too():
    street = Street()
    for _ in range(8):
        street.nodes[0].joined_s += 60
        street.run(60)
    assert street.told() == [(AlarmKind.FLAPPING, "M1", True)]


def test_a_stranger_is_told_at_once_and_ends_when_it_is_let_in_or_asks_no_more():
    street = Street()
    street.proposals = [Proposal(eui=b"STRANGER", first_s=street.now, last_s=street.now)]
    street.run(30)
    subject = b"STRANGER".hex()
    assert street.told() == [(AlarmKind.STRANGER, subject, True)]
    street.proposals = []
    street.run(60)
    assert street.told() == [(AlarmKind.STRANGER, subject, False)]
    street.proposals = [Proposal(eui=bytes(7) + bytes((n,)), first_s=0, last_s=street.now) for n in range(40)]
    street.run(60)
    assert street.told() == [(AlarmKind.STRANGER, "", True)]
    street.run(90_000)
    assert street.told() == [(AlarmKind.STRANGER, "", False)]


def test_much_noise_is_told_after_a_while_and_ends_only_when_it_is_much_better():
    street = Street()

    def quality(value):
        for node in street.nodes:
            node.quality = value

    quality(0.4)
    street.run(570)
    assert street.told() == []
    street.run(90)
    assert street.told() == [(AlarmKind.MEDIUM, "", True)]
    quality(0.6)
    street.run(5000)
    assert street.told() == []
    quality(0.9)
    street.run(900)
    assert street.told() == [(AlarmKind.MEDIUM, "", False)]


def test_meters_that_are_not_read_put_the_day_in_danger():
    street = Street(count=20)
    street.run(9000 + 660, read=False)
    assert street.told() == [(AlarmKind.COMPLETENESS, "", True)]
    assert street.watch.alarms()[0].count == 20
    street.run(900)
    assert street.told() == [(AlarmKind.COMPLETENESS, "", False)]


def test_after_a_start_nobody_is_missed_before_there_was_time_to_join_and_what_stood_stands():
    stood = Alarm(kind=AlarmKind.LOST, subject="M2", raised=5)
    street = Street(
        rules=WatchRules(), standing=[stood, Alarm(kind=AlarmKind.BRANCH, subject="M9", raised=1, cleared=2)]
    )
    street.go(1, 2, 3)
    street.run(3300)
    for number in (1, 3):
        street.come(street.nodes[number - 1])
    street.run(6000)
    assert street.told() == []
    assert street.watch.alarms()[0] == stood


def test_an_alarm_that_is_judged_elsewhere_is_not_ended_by_looking():
    street = Street()
    for _ in range(2):
        street.watch.set(AlarmKind.BALANCE, "", street.now, stands=True, text="lost")
    street.run(5000)
    assert street.told() == [(AlarmKind.BALANCE, "", True)]
    street.watch.set(AlarmKind.BALANCE, "", street.now, stands=False)
    assert street.told() == [(AlarmKind.BALANCE, "", False)]


@given(st.lists(st.tuples(st.integers(1, 8), st.booleans(), st.integers(0, 8)), max_size=60))
def test_whatever_happens_an_alarm_is_raised_before_it_ends_and_once(steps):
    street, standing = Street(count=8), set()
    for number, comes, parent in steps:
        street.come(street.nodes[number - 1]) if comes else street.go(number)
        street.through(number, parent if parent != number else 0)
        street.run(450)
        for kind, subject, stands in street.told():
            assert ((kind, subject) in standing) != stands
            (standing.add if stands else standing.discard)((kind, subject))
    assert {(one.kind, one.subject) for one in street.watch.alarms() if one.stands} == standing
