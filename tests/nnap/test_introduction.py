"""What a device calls itself is asked by the concentrator, and makes of it what it is."""

import pytest

from home_loads import home_config
from meterway.base.errors import LocalProtocolError
from meterway.home.api import HomeNode, HomeNodes
from meterway.mapping.neighbourhood import NodeRole, NodeState
from meterway.nnap.device import Rules
from meterway.nnap.events import Code
from meterway.nnap.introduction import introduced, name_in
from meterway.nnap.node import Node
from meterway.nnap.orders import GroupOrders
from meterway.nnap.plan import PlanRules
from meterway.nnap.site import Site
from meterway.stacks.dlms import axdr
from nnap_network import Network, node_of
from stacks.neighbourhood.toy_station import ToyStation

pytestmark = pytest.mark.covers("IF-H3", "E-NNAP", "E-HAED")

NAME = b"MWYH-H0001"


def behind(network, count=1, role="meter", **changes):
    """Load controllers on a network of meters, listed as ``role``."""
    nodes = HomeNodes(network.carrier, ToyStation)
    for number in range(1, count + 1):
        device = nodes.add(home_config(f"H{number:04d}", **changes))
        place = 100 + number
        listed = Node(
            eui=device.title, serial=device.config.serial, channel=place, title=device.title, role=role, key=b""
        )
        network.ledger.enlist_all([listed], network.concentrator, network.carrier.now())
        nodes.place(device.config.serial, lambda place=place: network.carrier.join(place), enters=False)
    return nodes


def row(network, serial="H0001"):
    site = Site(
        serial="NNAP1", flag="MWY", ledger=network.ledger, concentrator=network.concentrator,
        orders=GroupOrders(network.concentrator.station), parties=(), firmware="1",
    )  # fmt: skip
    return next(one for one in site.node_rows() if one.serial == serial)


@pytest.mark.parametrize("role", ["meter", "home"])
def test_a_load_controller_is_known_by_its_own_name_whatever_it_is_listed_as(role):
    network = Network(meters=1)
    nodes = behind(network, role=role)
    network.start()
    nodes.nodes["H0001"].enter()
    network.run(600)
    listed = network.concentrator.roll.by_serial("H0001")
    assert (listed.name, listed.role, listed.profile) == (NAME, "home", "home")
    told = row(network)
    assert (told.state, told.role, told.name, told.sap) == (NodeState.MEMBER, NodeRole.HOME, NAME, 0)
    assert Code.NODE_KIND in network.codes()
    meter = network.node()
    assert (meter.role, meter.turn.failures) == ("meter", 0)
    assert meter.turn.read_s > 0


def test_a_meter_that_is_read_tells_its_name_with_its_data_and_stays_one():
    network = Network(meters=1).start()
    network.run(900)
    meter = network.node()
    assert (meter.name, meter.role, meter.profile) == (b"MWYM00001", "meter", "idis")
    assert Code.NODE_KIND not in network.codes()


def test_a_meter_without_keys_here_is_asked_by_name_and_stays_one():
    network = Network(meters=2, known=False)
    listed = [node_of(config, channel) for channel, config in enumerate(network.configs, 1)]
    for node in listed:
        node.keys = None
    network.ledger.enlist_all(listed, network.concentrator, network.carrier.now())
    network.start()
    network.run(120)
    assert [node.name for node in listed] == [b"MWYM00001", b"MWYM00002"]
    assert [node.role for node in listed] == ["meter", "meter"]


def test_the_name_is_asked_once_and_kept_over_a_restart(tmp_path):
    network = Network(meters=1, path=tmp_path / "nnap.sqlite")
    nodes = behind(network)
    network.start()
    nodes.nodes["H0001"].enter()
    network.run(60)
    assert nodes.counts["requests"] >= 2
    network.ledger.save(network.carrier.now())
    network.known = False
    network.begin()
    kept = network.concentrator.roll.by_serial("H0001")
    assert (kept.name, kept.role, kept.profile) == (NAME, "home", "home")
    before = nodes.counts["requests"]
    nodes.nodes["H0001"].leave()
    network.driver.start()
    nodes.nodes["H0001"].enter()
    network.run(60)
    assert kept.member is not None
    assert nodes.counts["requests"] == before


def test_many_are_asked_two_at_a_time_and_nobody_is_forgotten():
    network = Network(meters=0)
    nodes = behind(network, count=7)
    network.start()
    for node in nodes.nodes.values():
        node.enter()
    network.run(600)
    assert {node.role for node in network.concentrator.roll} == {"home"}


def test_who_does_not_answer_is_left_alone_until_it_joins_again(monkeypatch):
    network = Network(meters=0, rules=Rules(plan=PlanRules(every_s=3600.0), answer_s=10.0))
    nodes = behind(network)
    silent = nodes.nodes["H0001"]
    with_answers = HomeNode._answer
    monkeypatch.setattr(HomeNode, "_answer", lambda node, event, now: None)
    network.start()
    silent.enter()
    network.run(60)
    listed = network.concentrator.roll.by_serial("H0001")
    assert (listed.name, listed.role) == (b"", "meter")
    monkeypatch.setattr(HomeNode, "_answer", with_answers)
    silent.leave()
    network.concentrator.station.members.clear()
    silent.enter()
    network.run(60)
    assert (listed.name, listed.role) == (NAME, "home")


def test_a_node_that_leaves_while_it_is_asked_is_dropped_and_nobody_speaks_to_it_meanwhile():
    network = Network(meters=0)
    nodes = behind(network)
    network.start()
    nodes.nodes["H0001"].enter()
    concentrator, now = network.concentrator, network.carrier.now()
    listed = concentrator.roll.by_serial("H0001")
    while not concentrator.introductions.is_asking(listed.eui, 16, 1):
        network.run(0.01)
    with pytest.raises(LocalProtocolError, match="asked for its name"):
        concentrator.carry(listed.eui, b"\x60\x00", client=16, server=1, now=now, answer=lambda apdu, at: None)
    assert not concentrator.introductions.is_asking(listed.eui, 1, 1)
    concentrator.introductions.drop(listed, now)
    assert not concentrator.introductions.is_asking(listed.eui, 16, 1)
    assert concentrator.introductions.next_timeout() is None


def test_a_gateway_stays_a_gateway_whatever_it_calls_itself():
    node = Node(eui=bytes(8), serial="G1", channel=1, role="gateway")
    assert not introduced(node, NAME)
    assert (node.role, node.name) == ("gateway", NAME)
    other = Node(eui=bytes(8), serial="M1", channel=1)
    assert not introduced(other, b"XYZ12345")
    assert (other.role, other.profile) == ("meter", "idis")


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (axdr.encode(axdr.octets(NAME)), NAME),
        (axdr.encode(axdr.visible("MWYH-H1")), b"MWYH-H1"),
        (axdr.encode(axdr.octets(bytes(17))), b""),
        (axdr.encode(axdr.octets(b"")), b""),
        (axdr.encode(axdr.u8(3)), b""),
        (b"\x09\x20", b""),
    ],
)
def test_only_what_is_a_name_is_taken_for_one(octets, name):
    assert name_in(octets) == name
