"""The balance on its schedule: days, late values, restarts, and what happens on a street."""

import math

import pytest

from meterway.base.obis import Obis
from meterway.mapping.transformer import Lack, Verdict
from meterway.nnap.alarming import Alarming
from meterway.nnap.balance import BalanceRules
from meterway.nnap.balancing import LOAD, Balancer, registers_of
from meterway.nnap.events import Code
from meterway.nnap.node import Cached, Node, Series
from meterway.nnap.rows import Row
from meterway.nnap.watch import WatchRules
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.tabled.table import date_time, scaler_unit
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from nnap_network import Network

pytestmark = pytest.mark.covers("E-NNAP", "E-NNAP-3", "F2a")
DAY = 86400
FIRST = 20_000 * DAY
STATUS = CaptureObject(class_id=1, obis=Obis(0, 0, 96, 10, 1), attribute=2)
IMPORT, EXPORT = (CaptureObject(class_id=3, obis=Obis(1, 0, part, 8, 0), attribute=2) for part in (1, 2))
COLUMNS = (CLOCK_TIME, STATUS, IMPORT, EXPORT)


class Street:
    """A transformer, its meters and what they take in an hour; the values are written as if they had been read."""

    def __init__(self, path=":memory:", *, meters=5, rules=None):
        self.network = Network(meters=0, path=path)
        self.ledger, self.device = self.network.ledger, self.network.concentrator
        self.rules = rules or BalanceRules()
        self.alarms = Alarming(self.network.store, self.device, WatchRules(), now=FIRST, reports=False, pushes=False)
        self.balancer = Balancer(self.ledger, self.rules, self.alarms.set_balance)
        for number in range(meters + 1):
            if self.ledger.roll.by_serial(f"M{number}") is None:
                self.enlist(number, role="meter" if number else "supervision")

    def enlist(self, number, *, role="meter", now=float(FIRST), keys=True):
        node = Node(
            eui=bytes(7) + bytes((number,)), serial=f"M{number}", channel=number + 1, title=bytes(7) + bytes((number,)),
            role=role, keys=Keys(bytes(16), bytes(16)) if keys else None,
        )  # fmt: skip
        self.ledger.enlist_all([node], self.device, now)
        return node

    def node(self, number):
        return self.ledger.roll.by_serial(f"M{number}")

    def read(self, number, imported, exported=None, *, day=0, hours=range(25), status=0):
        """Rows of a day of registers, whose hours bring what ``imported(hour)`` says."""
        node, back = self.node(number), exported or (lambda hour: 0)
        series = node.mirror.series.setdefault(LOAD, Series(obis=LOAD, period_s=3600, columns=COLUMNS))
        rows = []
        for hour in hours:
            at = 24 * day + hour
            total = [10_000 + sum(one(each) for each in range(at)) for one in (imported, back)]
            moment = FIRST + at * 3600
            fields = date_time(moment), axdr.u8(status), axdr.u32(total[0]), axdr.u32(total[1])
            rows.append(Row(moment, axdr.encode(axdr.structure(*fields))))
        self.ledger.rows(node, series, rows, float(rows[-1].time_s))

    def read_all(self, loads, lost, *, day=0, fed=None):
        """A day of everybody: meter n takes ``loads[n - 1]`` of each hour; ``lost(given)`` is what nobody measures."""
        fed = fed or (lambda hour: 0)

        def through(hour):
            net = sum(one(hour) for one in loads) - fed(hour)
            return net + lost(hour)

        for number, one in enumerate(loads, 1):
            self.read(number, one, fed if number == 1 else None, day=day)
        self.read(0, lambda hour: max(through(hour), 0), lambda hour: max(-through(hour), 0), day=day)

    def judge(self, day):
        """What happens in the night after a day."""
        now = FIRST + (day + 1) * DAY + 600.0
        due = self.balancer.due(now)
        for one in due:
            for _ in self.balancer.judge(one, now):
                pass
        return [(one - FIRST) // DAY for one in due if one >= FIRST]  # a midnight is of the day before too

    def codes(self):
        return [one.code for one in self.device.events if one.code in (Code.BALANCE_OFF, Code.BALANCE_BACK)]

    @property
    def days(self):
        return self.ledger.store.balances()


def steady(watts):
    return lambda hour: watts


def evening(watts):
    return lambda hour: watts if 17 <= hour % 24 < 22 else watts // 4


def sun(watts):
    return lambda hour: max(0, round(watts * math.sin(math.pi * (hour % 24 - 6) / 12))) if 6 <= hour % 24 <= 18 else 0


LOADS = [evening(1200), evening(900), steady(400), steady(250), evening(2000)]


def test_technical_losses_are_within_the_band_and_raise_nothing():
    street = Street()
    for day in range(6):
        street.read_all(LOADS, lambda hour: round(0.03 * sum(one(hour) for one in LOADS)), day=day)
        assert street.judge(day) == [day]
    assert [one.verdict for one in street.days] == [Verdict.WITHIN] * 6
    assert all(0.025 < one.share < 0.03 and one.complete == one.intervals == 24 for one in street.days)
    assert street.codes() == []


def test_pv_that_feeds_back_through_the_transformer_leaves_the_balance_as_it_is():
    street = Street()
    for day in range(3):
        street.read_all(LOADS, lambda hour: 40, day=day, fed=sun(9000))
        street.judge(day)
    assert [one.lost for one in street.days] == [24 * 40] * 3
    assert all(one.verdict is Verdict.WITHIN for one in street.days)
    back = registers_of(street.ledger, street.ledger.number(street.node(0)), street.node(0), FIRST, FIRST + DAY)
    assert back[FIRST + DAY][1] > back[FIRST][1]
    assert street.days[0].given > 24 * 40 + sum(sun(9000)(hour) for hour in range(24))


def test_an_unmetered_lamp_shows_after_as_many_nights_as_are_wanted():
    street = Street()
    lamp = lambda hour: 500 if hour % 24 >= 18 or hour % 24 < 6 else 0  # noqa: E731
    for day in range(4):
        street.read_all(LOADS, lambda hour: round(0.02 * sum(one(hour) for one in LOADS)) + lamp(hour), day=day)
        street.judge(day)
        assert street.codes() == ([Code.BALANCE_OFF] if day >= 2 else [])
    (event,) = [one for one in street.device.events if one.code is Code.BALANCE_OFF]
    assert "3 days" in event.detail
    assert f"{street.days[2].lost} Wh" in event.detail


@pytest.mark.covers("REC-i")
def test_a_meter_that_steals_is_seen_and_so_is_that_it_stopped():
    def shown(hour):
        return round(LOADS[4](hour) * (0.6 if 3 <= hour // 24 < 7 else 1.0))

    def through(hour):
        return round(1.03 * sum(one(hour) for one in LOADS))

    street = Street()
    for day in range(9):
        for number, one in enumerate([through, *LOADS[:4], shown]):
            street.read(number, one, day=day)
        street.judge(day)
    verdicts = [one.verdict for one in street.days]
    assert verdicts == [Verdict.WITHIN] * 3 + [Verdict.BEYOND] * 4 + [Verdict.WITHIN] * 2
    assert street.codes() == [Code.BALANCE_OFF, Code.BALANCE_BACK]


def test_a_day_is_judged_when_it_is_over_and_anew_when_values_come_late():
    street = Street(rules=BalanceRules(days=1))
    for number in (0, 1, 2, 3, 4):
        street.read(number, steady(5000) if number == 0 else steady(1000), day=0)
    assert FIRST not in street.balancer.due(FIRST + DAY - 1)
    assert street.judge(0) == [0]
    (first,) = street.days
    assert (first.verdict, first.complete, first.missing, first.revision) == (Verdict.OPEN, 0, (Lack("M5", 24),), 1)
    assert street.judge(0) == []
    street.read(5, steady(200), day=0, hours=range(20))
    assert street.judge(0) == [0]
    assert (street.days[0].complete, street.days[0].verdict) == (19, Verdict.BEYOND)
    street.read(5, steady(200), day=0, hours=range(20, 25))
    street.judge(0)
    (last,) = street.days
    assert (last.complete, last.revision, last.lost) == (24, 3, 24 * 800)
    assert street.codes() == [Code.BALANCE_OFF]


def test_rows_that_change_nothing_make_no_new_revision():
    street = Street()
    street.read_all(LOADS, steady(0))
    street.judge(0)
    number = street.ledger.store.balances_after(0)[-1][0]
    street.node(1).mirror.series[LOAD].upto_s = 0.0
    street.read(1, LOADS[0], day=0, status=8)  # the same values, marked as summer time
    assert street.judge(0) == [0]
    assert street.ledger.store.balances_after(number) == []


def test_rows_that_the_meter_calls_invalid_do_not_count():
    street = Street()
    street.read_all(LOADS, steady(0))
    street.read(1, steady(1), day=1, status=2)
    node = street.node(1)
    found = registers_of(street.ledger, street.ledger.number(node), node, FIRST, FIRST + 2 * DAY)
    assert max(found) == FIRST + DAY


def test_registers_of_different_scalers_are_the_same_energy():
    street = Street(meters=1)
    street.read_all([steady(700)], steady(0))
    node = street.node(0)
    item = AttributeDescriptor(3, IMPORT.obis, 3)
    street.ledger.attributes(node, {item: Cached(axdr.encode(scaler_unit(3, 30)), 0.0)})
    street.judge(0)
    assert street.days[0].given == 1000 * 24 * 700
    assert street.days[0].taken == 24 * 700


def test_a_restart_forgets_neither_what_is_due_nor_that_the_alarm_stands(tmp_path):
    path = tmp_path / "nnap.sqlite"
    street = Street(path, rules=BalanceRules(days=2))
    for day in range(2):
        street.read_all(LOADS, steady(2000), day=day)
        street.judge(day)
    assert street.codes() == [Code.BALANCE_OFF]
    street.read_all(LOADS, steady(2000), day=2)
    street.ledger.store.close()
    again = Street(path, rules=BalanceRules(days=2))
    assert again.judge(2) == [2]
    assert again.codes() == []
    assert len(again.days) == 3


def test_an_exchanged_meter_leaves_no_hole_and_a_new_one_is_expected_from_then_on():
    street = Street(meters=2)
    street.read(0, steady(1000))
    street.read(1, steady(400))
    street.read(2, steady(600), hours=range(13))
    gone = street.device.remove(street.node(2).eui, FIRST + 12 * 3600.0)
    street.ledger.drop_node(gone)
    street.enlist(3, now=FIRST + 12 * 3600.0)
    street.read(3, steady(600), hours=range(12, 25))
    street.judge(0)
    (found,) = street.days
    assert (found.complete, found.lost, found.missing) == (24, 0, ())


def test_who_is_not_read_is_missing_unless_left_out():
    street = Street(meters=1)
    street.enlist(7, role="gateway", keys=False, now=float(FIRST))
    street.read_all([steady(700)], steady(0))
    street.judge(0)
    assert street.days[0].missing == (Lack("M7", 24),)
    street.balancer = Balancer(street.ledger, street.rules, street.alarms.set_balance, left_out=frozenset(("M7",)))
    street.read(1, steady(700), hours=range(25, 26))
    street.read(0, steady(700), hours=range(25, 26))
    assert street.judge(1) == [1]
    for _ in street.balancer.judge(FIRST, FIRST + 2.0 * DAY):
        pass
    assert (street.days[0].complete, street.days[0].lost) == (24, 0)


def test_without_a_meter_at_the_transformer_nothing_is_judged():
    street = Street(meters=2)
    street.node(0).role = "meter"
    street.read_all(LOADS[:2], steady(0))
    street.judge(0)
    assert not street.balancer.has_supervision
    assert street.days == []


def test_days_long_over_and_days_to_come_are_not_due():
    street = Street()
    street.read_all(LOADS, steady(0))
    assert street.balancer.due(FIRST + 16.0 * DAY) == []
    assert FIRST not in street.balancer.due(FIRST + 600.0)
    assert FIRST in street.balancer.due(FIRST + 5.0 * DAY)
