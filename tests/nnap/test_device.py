"""The concentrator on a virtual clock: joining, reading ahead, carrying end to end, alarms of the topology."""

import pytest

from meterway.base.errors import ConfigError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.nnap.device import Roll, Rules
from meterway.nnap.events import Code
from meterway.nnap.node import CLIENT, Node
from meterway.nnap.plan import PlanRules
from meterway.nnap.reading import ReadRules
from meterway.stacks.dlms.client.script import Get
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.neighbourhood.station import Joined
from nnap_network import START, Network, meter_config, node_of

pytestmark = pytest.mark.covers("E-NNAP", "IF-C")

LOAD = Obis(1, 0, 99, 1, 0)
CLOCK = AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2)
QUARTERS = ReadRules(profiles=(LOAD,), logs=(), registers=False)


def rules(**changes):
    changes = {"plan": PlanRules(every_s=3600.0), "read": QUARTERS, **changes}
    return Rules(**changes)


def test_listed_meters_join_and_are_read_unlisted_ones_are_proposed():
    network = Network(meters=3, rules=rules(), known=False)
    network.ledger.enlist_all([node_of(network.configs[0], 1)], network.concentrator, START)
    network.start().run(120)
    assert network.node().member is not None
    assert network.store.count_rows(1, LOAD) == 96
    assert Code.NODE_JOINED in network.codes()


def test_what_is_read_is_what_the_meter_has_and_later_only_what_is_missing():
    network = Network(rules=rules()).start()
    network.run(120)
    asked = network.carrier.sent[False]
    network.run(3600)
    rows = network.store.rows(1, LOAD)
    assert [row.time_s % 900 for row in rows] == [0] * len(rows)
    assert len(rows) == 100  # a day and an hour
    meter = network.nodes[0].meter
    energy = int(meter.energy_slots(rows[-1].time_s // 900, 1)[0, 0])
    assert energy.to_bytes(4, "big") in rows[-1].octets
    assert network.carrier.sent[False] - asked < asked / 2


def test_a_lossy_network_is_read_to_the_last_value():
    network = Network(meters=30, hops=3, loss=0.1, seed=5, rules=rules(plan=PlanRules(every_s=21600.0))).start()
    network.run(3600)
    assert [network.store.count_rows(number, LOAD) for number in range(1, 31)] == [96] * 30


@pytest.mark.covers("E-NNAP-7")
def test_a_router_reads_nothing_by_itself_and_needs_no_keys():
    network = Network(rules=rules(mode="router")).start()
    for node in network.concentrator.roll:
        node.keys = None
    network.run(600)
    assert network.store.count_rows(1, LOAD) == 0
    answers = []
    network.driver.call(
        lambda device, now: device.carry(
            network.configs[0].title, b"\x60\x00", client=16, server=1, now=now,
            answer=lambda apdu, at: answers.append(apdu),
        )
    )  # fmt: skip
    network.run(10)
    assert answers[0][:1] in (b"\x61", b"\xd8")
    assert network.concentrator.carried == 2


def test_what_cannot_be_carried_is_refused_and_what_gets_no_answer_says_so():
    network = Network(rules=rules(relay_s=30.0)).start()
    network.run(60)
    device, answers = network.concentrator, []
    eui = network.configs[0].title

    def carry(to, client):
        network.driver.call(
            lambda device, now: device.carry(
                to, b"\x60\x00", client=client, server=1, now=now, answer=lambda apdu, at: answers.append(apdu)
            )
        )

    for to, client in ((b"NOBODY__", 16), (eui, CLIENT)):
        with pytest.raises(LocalProtocolError):
            carry(to, client)
    network.carrier.ports[1].on_frame = None
    carry(eui, 16)
    network.run(40)
    assert answers == [None]
    carry(eui, 16)
    member = device.roll.nodes[eui].member
    network.driver.call(lambda device, now: device.take(Joined(member=member), now))
    assert answers == [None, None], "who joins anew does not know what it was asked before"
    carry(eui, 16)
    network.driver.call(lambda device, now: device.remove(eui, now))
    assert answers == [None] * 3
    device.rules = rules(mode="store")
    with pytest.raises(LocalProtocolError, match="end to end"):
        carry(network.configs[1].title, 16)


def test_what_waits_for_answers_is_bounded_for_one_pair_of_addresses_and_for_all():
    network = Network(rules=rules(relay_s=30.0)).start()
    network.run(60)
    eui, answers = network.configs[0].title, []
    network.carrier.ports[1].on_frame = None

    def carry(client):
        network.driver.call(
            lambda device, now: device.carry(
                eui, b"\x60\x00", client=client, server=1, now=now, answer=lambda apdu, at: answers.append(apdu)
            )
        )

    for _ in range(8):
        carry(16)
    with pytest.raises(LocalProtocolError, match="too many"):
        carry(16)
    with pytest.raises(LocalProtocolError, match="too many"):
        for number in range(1000):
            carry(17 + number // 8)
    network.run(40)
    assert answers == [None] * 256
    assert len(network.concentrator._relays) == 0
    carry(16)


def test_an_urgent_question_goes_between_the_requests_of_a_long_reading():
    plan = PlanRules(every_s=60.0, rows=8, first_days=4.9)
    network = Network(meters=20, hops=2, bits_per_s=4800, rules=rules(plan=plan, max_pdu=256)).start()
    network.run(20)
    waits = []
    for _ in range(20):
        asked, answered = network.carrier.now(), []

        def script(answered=answered):
            answer = yield Get(CLOCK)
            assert isinstance(answer, bytes)
            answered.append(network.carrier.now())

        node = network.node(1 + len(waits) % 20)
        network.driver.call(lambda device, now, node=node: device.ask(node, script(), lambda *_: None, now=now))
        network.run(30)
        waits.append(answered[0] - asked)
    assert max(waits) < 15
    assert network.concentrator.plan.running, "bulk was going on all the time"


@pytest.mark.covers("UC-EV-04")
def test_a_meter_that_is_gone_falls_silent_and_is_told_when_it_is_back():
    network = Network(rules=rules(silent_after_s=7200.0, answer_s=20.0)).start()
    network.run(60)
    heard = network.carrier.ports[1].on_frame
    network.carrier.ports[1].on_frame = None
    network.run(4 * 3600)
    assert Code.NODE_SILENT in network.codes()
    assert network.node().turn.failures > 2
    assert network.node().quality < 0.9
    network.carrier.ports[1].on_frame = heard
    network.run(2 * 3600)
    assert Code.NODE_BACK in network.codes()
    times = [row.time_s for row in network.store.rows(1, LOAD)]
    assert times == list(range(times[0], times[-1] + 900, 900)), "nothing is missing in between"


def test_wrong_keys_are_a_security_event_and_not_a_loss_of_the_line():
    network = Network(rules=rules())
    network.node().keys = type(network.node().keys)(bytes(16), bytes(16))
    network.start().run(60)
    assert Code.KEY_FAILED in network.codes()
    assert network.store.count_rows(2, LOAD) == 96


@pytest.mark.covers("E-NNAP-4")
def test_a_slow_clock_is_set_once_and_the_delay_of_the_way_is_taken_into_account():
    network = Network(rules=rules(), drift_s=-100.0, bits_per_s=600, hops=1, meters=1).start()
    network.run(300)
    assert network.codes().count(Code.METER_CLOCK_SET) == 1
    half_trip = network.node().half_trip_s
    assert half_trip > 0.3
    assert abs(network.nodes[0].meter.clock_error_s(network.carrier.now())) < 1.5


def test_a_removed_node_is_put_out_and_let_in_no_more():
    network = Network(rules=rules()).start()
    network.run(60)
    eui = network.configs[0].title
    network.driver.call(lambda device, now: device.remove(eui, now))
    assert eui not in network.concentrator.station.members
    with pytest.raises(ConfigError):
        network.concentrator.remove(eui, START)
    with pytest.raises(LocalProtocolError):
        network.concentrator.ask(Node(eui=eui, serial="x", channel=9), iter(()), lambda *_: None, now=START)


def test_the_white_list_refuses_what_does_not_fit():
    roll, config = Roll(), meter_config(1)
    roll.add(node_of(config, 1))
    for wrong in (
        node_of(config, 2),
        node_of(meter_config(2), 1),
        node_of(meter_config(2), 0),
        Node(eui=b"short", serial="x", channel=3),
    ):
        with pytest.raises(ConfigError):
            roll.add(wrong)
    assert roll.free_channel() == 2
    assert roll.by_serial("M00001") is roll.channels[1]
    assert roll.admit(b"UNKNOWN_") is None
