"""What goes to all meters at once."""

import pytest

from meterway.base.errors import ConfigError
from meterway.mapping.neighbourhood import GroupOrder, OrderState
from meterway.nnap.broadcast import Broadcaster, GroupOrders, time_request
from meterway.nnap.device import Rules
from meterway.nnap.plan import PlanRules
from meterway.stacks.dlms.security.counter import SendCounter
from nnap_network import BROADCAST_KEYS, TITLE, Network

pytestmark = pytest.mark.covers("E-NNAP", "UC-IN-02")


def network(**changes):
    return Network(rules=Rules(plan=PlanRules(parallel=0)), **changes).start()


def broadcaster(one):
    return Broadcaster(title=TITLE, keys=BROADCAST_KEYS, counter=one.ledger.send_counter(at_least=0))


def test_one_broadcast_sets_all_clocks_with_the_delay_of_the_way():
    one = network(meters=6, hops=3, drift_s=-500.0, bits_per_s=2400)
    one.run(60)
    sender = broadcaster(one)
    delay_s = 3 * (0.02 + 70 * 8 / 2400)
    one.driver.call(lambda device, now: sender.send(device.station, time_request(sender, now, delay_s), now))
    one.run(10)
    errors = [node.meter.clock_error_s(one.carrier.now()) for node in one.nodes]
    assert max(map(abs, errors)) <= 0.6


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


def test_who_shares_the_key_counts_on_above_the_others():
    one = network(meters=1, drift_s=-500.0)
    one.run(60)
    head = Broadcaster(title=b"MWYHEAD1", keys=BROADCAST_KEYS, counter=SendCounter(int(one.carrier.now())))
    sender = Broadcaster(title=TITLE, keys=BROADCAST_KEYS, counter=SendCounter(5))
    foreign = time_request(head, one.carrier.now(), 0.0)
    for what in (b"", b"\xdb\x00\x00", foreign):
        sender.follow(what, one.carrier.now())
    assert sender._security.send_counter.next == int(one.carrier.now()) + 1
    mad = Broadcaster(title=TITLE, keys=BROADCAST_KEYS, counter=SendCounter(0xFFFFFF00))
    sender.follow(time_request(mad, 0.0, 0.0), one.carrier.now())
    assert sender._security.send_counter.next == int(one.carrier.now()) + 1
