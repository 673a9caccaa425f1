"""An association that scripts share."""

import pytest

from meterway.base.errors import LinkError, MeterwayError, StoreError
from meterway.base.obis import Obis
from meterway.nnap.device import Rules
from meterway.nnap.plan import PlanRules
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client.script import Act, Get, GetList, Set
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult
from nnap_network import Network

NAME = AttributeDescriptor(1, Obis(0, 0, 42, 0, 0), 2)
ALARMS = AttributeDescriptor(1, Obis(0, 0, 97, 98, 10), 2)


@pytest.fixture
def network():
    one = Network(meters=1, rules=Rules(plan=PlanRules(parallel=0))).start()  # it reads nothing by itself
    one.run(1)
    return one


def run(network, *scripts, urgent=()):
    ended = []

    def done(number):
        return lambda error, now: ended.append((number, error))

    for number, script in enumerate(scripts):
        network.driver.call(
            lambda device, now, script=script, number=number: device.ask(
                network.node(), script, done(number), now=now, urgent=number in urgent
            )
        )
    return ended


def asks(into, *wanted):
    for ask in wanted:
        answer = yield ask
        into.append(answer)


def test_one_association_serves_all_kinds_of_requests_and_stays_open(network):
    found = []
    reset = MethodDescriptor(70, Obis(0, 0, 96, 3, 10), 99)
    wanted = (Get(NAME), GetList(((NAME, None), (ALARMS, None))), Set(ALARMS, axdr.encode(axdr.u32(7))), Act(reset))
    ended = run(network, asks(found, *wanted))
    network.run(10)
    assert ended == [(0, None)]
    assert found[0] == found[1][0]
    assert found[2] is DataAccessResult.SUCCESS
    assert found[3].result is not ActionResult.SUCCESS
    assert network.node().talk.is_open
    sent = network.carrier.sent[False]
    run(network, asks(found, Get(NAME)))
    network.run(10)
    assert network.carrier.sent[False] - sent == 2


def test_an_urgent_script_goes_between_the_requests_of_another(network):
    order = []

    def script(name, count):
        for _ in range(count):
            yield Get(NAME)
            order.append(name)

    run(network, script("slow", 4), script("fast", 1), urgent=(1,))
    network.run(20)
    assert sorted(order) == ["fast", *["slow"] * 4]
    assert order.index("fast") < 2


def test_a_line_that_breaks_ends_all_scripts_and_the_next_begins_anew(network):
    found, ended = [], None
    network.carrier.ports[1].on_frame, heard = None, network.carrier.ports[1].on_frame
    ended = run(network, asks(found, Get(NAME)), asks(found, Get(NAME)))
    network.run(120)
    assert [number for number, error in ended if isinstance(error, LinkError)] == [0, 1]
    network.carrier.ports[1].on_frame = heard
    ended = run(network, asks(found, Get(NAME)))
    network.run(10)
    assert ended == [(0, None)]
    assert len(found) == 1


def test_an_error_in_a_script_ends_that_script_alone(network):
    def failing():
        yield Get(NAME)
        raise StoreError("the disk is full")

    found = []
    ended = run(network, failing(), asks(found, Get(NAME)))
    network.run(10)
    assert {number: type(error) for number, error in ended} == {0: StoreError, 1: type(None)}
    assert len(found) == 1


def test_giving_up_tells_every_script(network):
    ended = run(network, asks([], Get(NAME)))
    network.node().talk.close(network.carrier.now())
    assert isinstance(ended[0][1], MeterwayError)
    assert not network.node().talk.is_busy
