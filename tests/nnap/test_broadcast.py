"""What goes to all meters at once."""

import pytest

from meterway.nnap.broadcast import Broadcaster, time_request
from meterway.nnap.device import Rules
from meterway.nnap.plan import PlanRules
from meterway.stacks.dlms.security.counter import SendCounter
from nnap_network import BROADCAST_KEYS, TITLE, Network

pytestmark = pytest.mark.covers("E-NNAP", "UC-IN-02")


def network(**changes):
    return Network(rules=Rules(plan=PlanRules(parallel=0)), **changes).start()


def broadcaster(one):
    return Broadcaster(title=TITLE, keys=BROADCAST_KEYS, counter=one.ledger.send_counter(at_least=0))


@pytest.mark.covers("E-NNAP-4")
def test_one_broadcast_sets_all_clocks_with_the_delay_of_the_way():
    one = network(meters=6, hops=3, drift_s=-500.0, bits_per_s=2400)
    one.run(60)
    sender = broadcaster(one)
    delay_s = 3 * (0.02 + 70 * 8 / 2400)
    one.driver.call(lambda device, now: sender.send(device.station, time_request(sender, now, delay_s), now))
    one.run(10)
    errors = [node.meter.clock_error_s(one.carrier.now()) for node in one.nodes]
    assert max(map(abs, errors)) <= 0.6


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
