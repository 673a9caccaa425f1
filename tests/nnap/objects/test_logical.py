"""A logical device: who may associate, and what each may do."""

import pytest

from meterway.base.obis import Obis
from meterway.nnap.events import Code
from meterway.nnap.objects import LogicalSite
from meterway.nnap.site import Party
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult
from meterway.store.party_counters import PartyCounters
from nnap.test_site import site
from nnap_network import Network

NODES = AttributeDescriptor(1, Obis(0, 0, 128, 5, 0), 2)
ADMIT = AttributeDescriptor(1, Obis(0, 0, 128, 7, 0), 2)
READER = Party(name="r", client=2, secret=bytes(16))
OWNER = Party(name="o", client=1, secret=bytes(16), rights=Right.READ | Right.CONFIGURE)


def device(network, channel=0):
    one = site(network, (READER, OWNER))
    return LogicalSite(one, channel, counters=PartyCounters(network.store, one), unix=network.carrier.now)


def test_parties_associate_and_nobody_else_and_a_mirror_only_once_it_is_read():
    network = Network(meters=1)
    own, mirror = device(network), device(network, 1)
    assert own.association(1).mechanism == 5
    assert own.security(2) is not None
    assert own.association(7) is None
    assert own.security(7) is None
    assert mirror.association(1) is None
    network.start().run(300)
    assert mirror.association(1) is not None
    assert mirror.system_title != own.system_title
    assert Code.ACCESS_DENIED in network.codes()


def test_rights_are_checked_for_each_attribute_and_method():
    own = device(Network(meters=1))
    assert isinstance(own.get(2, NODES, None, 0.0), bytes)
    assert own.get(7, NODES, None, 0.0) is DataAccessResult.OBJECT_UNAVAILABLE
    assert own.get(2, NODES, Selection(1, b"\x00"), 0.0) is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    assert own.get(2, NODES._replace(attribute=9), None, 0.0) is DataAccessResult.OBJECT_UNDEFINED
    assert own.set(2, ADMIT, None, b"\x00", 0.0) is DataAccessResult.READ_WRITE_DENIED
    assert own.set(1, ADMIT, None, b"\x00", 0.0) is DataAccessResult.TYPE_UNMATCHED
    assert own.set(1, NODES, None, b"\x00", 0.0) is DataAccessResult.READ_WRITE_DENIED
    image = MethodDescriptor(18, Obis(0, 1, 44, 0, 0), 1)
    assert own.act(2, image, None, 0.0).result is ActionResult.READ_WRITE_DENIED
    assert own.act(1, image, b"\xff", 0.0).result is ActionResult.TYPE_UNMATCHED
    assert own.act(1, image._replace(method=9), None, 0.0).result is ActionResult.OBJECT_UNDEFINED


def test_the_object_list_says_what_each_may_do():
    own = device(Network(meters=1))
    lists = {}
    for client in (1, 2):
        octets = own.get(client, AttributeDescriptor(15, Obis(0, 0, 40, 0, 0), 2), None, 0.0)
        rows = {(row[0], Obis(*row[2])): row[3] for row in axdr.to_native(octets)[0]}
        lists[client] = {entry[0]: entry[1] for entry in rows[1, ADMIT.obis][0]}[2]
    assert lists == {1: 3, 2: 1}


@pytest.mark.covers("E-NNAP-8")
def test_attacks_are_logged():
    network = Network(meters=1)
    own = device(network)
    for kind in ("authentication", "counter", "tag", "released"):
        own.noticed(1, kind, 0.0)
    assert network.codes()[-3:] == [Code.ACCESS_DENIED, Code.REPLAY, Code.KEY_FAILED]
