"""Orders to groups: at their time, as often as they say, and over a fall of the process at any moment."""

import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError, LocalProtocolError
from meterway.mapping.neighbourhood import GroupOrder, OrderState
from meterway.nnap.broadcast import time_request
from meterway.nnap.orders import GroupOrders
from meterway.nnap.store import Store
from nnap.test_broadcast import broadcaster, network

pytestmark = pytest.mark.covers("E-NNAP", "E-NNAP-5", "UC-DR-02")


def order(one, **changes):
    apdu = time_request(broadcaster(one), one.carrier.now(), 0.0)
    now = int(one.carrier.now())
    fields = {"id": b"o1", "apdu": apdu, "not_before": now + 100, "expires": now + 1000, "client": 102, "repeats": 2}
    return GroupOrder(**{**fields, **changes})


def test_an_order_goes_out_at_its_time_as_often_as_it_says_and_the_meters_do_it_once():
    one = network(meters=2, drift_s=-500.0)
    one.run(60)
    orders = GroupOrders(one.concentrator.station)
    one.concentrator.workers.append(orders)
    wanted = order(one)
    one.driver.call(lambda device, now: orders.take(wanted, now))
    one.driver.call(lambda device, now: orders.take(wanted, now))
    broadcasts = one.carrier.sent[True]
    one.run(90)
    assert orders.reports()[0].state is OrderState.WAITING
    assert one.carrier.sent[True] == broadcasts
    one.run(600)
    assert one.carrier.sent[True] == broadcasts + 3
    report = orders.reports()[0]
    assert (report.state, report.sends) == (OrderState.SENT, 3)
    assert all(abs(node.meter.clock_error_s(one.carrier.now())) > 90 for node in one.nodes), "set late, once"
    assert orders.next_timeout() is None


def test_an_order_whose_time_is_over_is_not_sent_and_one_that_is_too_long_is_refused():
    one = network(meters=1)
    orders = GroupOrders(one.concentrator.station)
    now = one.carrier.now()
    orders.take(order(one, not_before=0, expires=int(now) - 1), now)
    orders.handle_timeout(now)
    assert orders.reports()[0].state is OrderState.EXPIRED
    with pytest.raises(ConfigError, match="longer"):
        orders.take(order(one, id=b"o2", apdu=bytes(2000)), now)


def test_an_order_that_waits_is_not_dropped_for_a_new_one():
    one = network(meters=1)
    orders = GroupOrders(one.concentrator.station)
    now = one.carrier.now()
    orders.take(order(one, id=b"over", not_before=0, expires=int(now) - 1), now)
    orders.handle_timeout(now)
    for number in range(64):
        orders.take(order(one, id=bytes([number])), now)
    assert [report.id for report in orders.reports()] == [bytes([number]) for number in range(64)]
    with pytest.raises(ConfigError, match="wait"):
        orders.take(order(one, id=b"more"), now)
    assert len(orders.reports()) == 64


def test_orders_that_are_over_make_room_and_those_that_could_be_given_again_do_not(tmp_path):
    one, store = network(meters=1), Store(tmp_path / "store")
    orders = GroupOrders(one.concentrator.station, store)
    now = one.carrier.now()
    for number in range(64):
        orders.take(order(one, id=bytes([1, number]), not_before=0, expires=int(now) + 50, repeats=0), now)
    orders.handle_timeout(now)
    orders.handle_timeout(now + 30)
    assert orders.next_timeout() is None
    orders.take(order(one, id=b"new"), now + 30)
    assert len(store.orders()) == 65
    orders.take(order(one, id=b"newer"), now + 60)
    assert len(store.orders()) == 64
    orders.take(order(one, id=bytes([1, 63])), now + 60)  # still known: it does not go out again
    assert len(orders.reports()) == 64


def test_a_name_that_begins_like_another_is_another(tmp_path):
    store = Store(tmp_path / "store")
    store.keep_order(b"a", b"1")
    store.keep_order(b"ab", b"2")
    store.drop_order(b"a")
    assert store.orders() == [b"2"]


def test_an_order_is_carried_out_after_a_fall_by_each_meter_once(tmp_path):
    one = network(meters=2, drift_s=-500.0, path=tmp_path / "store")
    one.run(60)
    first = GroupOrders(one.concentrator.station, one.store)
    wanted = order(one)
    first.take(wanted, one.carrier.now())
    one.driver.close()
    one.store.close()  # it fell: nothing was saved
    one.begin()
    again = GroupOrders(one.concentrator.station, one.store)
    again.restore(one.carrier.now())
    again.take(wanted, one.carrier.now())  # the head end, which got no answer, gives it again
    one.concentrator.workers.append(again)
    one.driver.start()
    one.run(700)
    (report,) = again.reports()
    assert (report.state, report.sends) == (OrderState.SENT, 3)
    errors = [node.meter.clock_error_s(one.carrier.now()) for node in one.nodes]
    assert max(map(abs, errors)) < 200, "the clocks were set, and by the order alone"


# -- a fall at any step ---------------------------------------------------------------------------------------------


class FallError(Exception):
    """The process is gone."""


@dataclass
class World:
    """What outlives the process: the file, what went on the air, and what the head end was told."""

    steps: list[int]
    down_s: list[int]
    now: int = 1000
    records: dict = field(default_factory=dict)
    aired: list = field(default_factory=list)
    queue: list = field(default_factory=list)
    step: int = 0
    max_apdu: int = 100
    told: set = field(default_factory=set)

    def falls(self):
        self.step += 1
        if self.step in self.steps:
            raise FallError

    # the file
    def keep_order(self, order_id, record):
        self.falls()
        self.records[order_id] = record
        self.falls()

    def orders(self):
        return list(self.records.values())

    def drop_order(self, order_id):
        self.records.pop(order_id, None)

    # the station: what it was given leaves a second later
    def send_apdu(self, eui, apdu, *, client, server, now, urgent):
        self.falls()
        self.queue.append(apdu)
        self.falls()

    def live(self, wanted, until):
        """A process from its start on; the head end gives an order until it is told that it was accepted."""
        orders = GroupOrders(self, self)
        orders.restore(self.now)
        while self.now < until:
            if wanted.id not in self.told:
                orders.take(wanted, self.now)
                self.told.add(wanted.id)
            self.aired += [(self.now, apdu) for apdu in self.queue]
            self.queue.clear()
            due = orders.next_timeout()
            if due is not None and due <= self.now:
                orders.handle_timeout(self.now)
            self.now += 1
        return orders

    def run(self, wanted, until):
        downs = iter(self.down_s)
        while True:
            try:
                return self.live(wanted, until)
            except FallError:
                self.queue.clear()
                self.now += next(downs, 1)


def check(world, wanted, until):
    """The end of it, told and true."""
    orders = world.run(wanted, until)
    (report,) = orders.reports()
    assert {apdu for _, apdu in world.aired} <= {wanted.apdu}
    for at, _ in world.aired:
        assert wanted.not_before <= at <= wanted.expires + 1
    if report.state is OrderState.SENT:
        assert world.aired
    elif report.state is OrderState.EXPIRED:
        assert not world.aired
    else:
        assert report.state is OrderState.UNSURE
    assert len(world.aired) <= wanted.repeats + 1 + len(world.steps)
    assert orders.next_timeout() is None
    count = len(world.aired)
    world.steps.clear()
    world.live(wanted, until + 500)
    assert len(world.aired) == count, "what was told as done goes out no more"
    return report


WANTED = GroupOrder(id=b"o1", apdu=b"apdu", not_before=1100, expires=1400, repeats=1)


def test_without_a_fall_it_goes_out_as_often_as_it_says():
    world = World(steps=[], down_s=[])
    assert check(world, WANTED, 2000).state is OrderState.SENT
    assert len(world.aired) == 2


@pytest.mark.parametrize("down_s", [0, 3, 30, 200, 1000])
@pytest.mark.parametrize("step", range(1, 16))
def test_a_fall_at_every_step_for_any_time(step, down_s):
    world = World(steps=[step], down_s=[down_s])
    report = check(world, WANTED, 3000)
    if down_s <= 200:
        assert report.state is OrderState.SENT


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4, unique=True), st.lists(st.integers(0, 400), max_size=4),
       st.integers(0, 3))  # fmt: skip
def test_falls_one_after_another(steps, down_s, repeats):
    wanted = GroupOrder(id=b"o1", apdu=b"apdu", not_before=1100, expires=1400, repeats=repeats)
    check(World(steps=steps, down_s=down_s), wanted, 4000)


def test_a_network_that_takes_nothing_is_told_as_refused(tmp_path):
    class Full(World):
        def send_apdu(self, eui, apdu, **_):
            raise LocalProtocolError("no")

    world = Full(steps=[], down_s=[])
    orders = world.run(WANTED, 2000)
    (report,) = orders.reports()
    assert (report.state, report.sends, report.sent_at) == (OrderState.REFUSED, 0, 0)


# -- a process that is killed ---------------------------------------------------------------------------------------

_CARRIER = """
import os, sys, time
from pathlib import Path
from meterway.mapping.neighbourhood import GroupOrder
from meterway.nnap.orders import GroupOrders
from meterway.nnap.store import Store

class Air:
    max_apdu = 100
    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    def send_apdu(self, eui, apdu, **_):
        os.write(self.file, apdu + b"\\n")

store = Store(Path(sys.argv[1]))
orders = GroupOrders(Air(sys.argv[2]), store)
now = time.time()
orders.restore(now)
number = int(sys.argv[3])
while True:
    for _ in range(2):
        number += 1
        name = b"%06d" % number
        order = GroupOrder(id=name, apdu=name, not_before=0, expires=int(now) + 10_000, repeats=0)
        orders.take(order, now)
        print(number, flush=True)
    while orders.next_timeout() is not None:
        now = max(now, orders.next_timeout())
        orders.handle_timeout(now)
"""


def test_what_was_accepted_goes_out_though_the_process_is_killed_at_any_moment(tmp_path):
    path, air, draw, last = tmp_path / "store", tmp_path / "air", random.Random(5), 0
    falls = 6
    for _ in range(falls):
        command = [sys.executable, "-c", _CARRIER, str(path), str(air), str(last + 10)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as carrier:
            for _ in range(draw.randint(3, 25)):
                last = int(carrier.stdout.readline())
            carrier.send_signal(signal.SIGKILL)
            accepted = [int(line) for line in carrier.stdout if line.endswith("\n")]
            last = max([last, *accepted])
    store = Store(path)
    aired = []

    class Air:
        max_apdu = 100

        def send_apdu(self, eui, apdu, **_):
            aired.append(apdu)

    orders = GroupOrders(Air(), store)
    orders.restore(time.time() + 2000)
    while (due := orders.next_timeout()) is not None:
        orders.handle_timeout(due)
    sent = air.read_bytes().split() + aired
    times = {name: sent.count(name) for name in set(sent)}
    assert max(times.values()) <= 1 + falls
    assert sum(count > 1 for count in times.values()) <= 2 * falls
    told = {report.id: report.state for report in orders.reports()}
    assert b"%06d" % last in told
    assert set(told.values()) == {OrderState.SENT}
    assert set(told) <= set(times)
