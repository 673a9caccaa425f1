"""A load controller through a real DLMS client on its local port: who gets in, and who may do what."""

import pytest

from home_loads import EVENING, GBAK, GBEK, controller
from meterway.base.obis import Obis
from meterway.home.api import HomeMemory
from meterway.home.objects import LogicalHome
from meterway.home.objects.table import BROADCAST, CONSUMER, OPERATOR, PUBLIC
from meterway.mapping.home import CONSENT, RELAY_ALL
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.security_setup import KeyTransfer
from meterway.stacks.dlms.client import ActionDone, Associated, ClientSettings, DlmsClient, Failed, GetDone, SetDone
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.security.keys import wrap_key
from meterway.stacks.dlms.server import DlmsServer
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

SWITCH = AttributeDescriptor(70, RELAY_ALL, 2)


class Talk:
    """A client and the server on one wire."""

    def __init__(self, device, client, *, keys=None, is_local=True, sent=1):
        logical = LogicalHome(device, HomeMemory(lambda: EVENING), is_local=is_local)
        self.server = DlmsServer(WrapperFraming(0, 0, role=Role.SERVER), lambda number: logical)
        own = device.keys
        given = keys or (Keys(own.guek, own.gak) if client == OPERATOR else Keys(own.consumer_guek, own.consumer_gak))
        settings = ClientSettings(
            mechanism=5, control=0x30, keys=given, system_title=b"MWYTEST1", send_counter=SendCounter(sent),
            received=ReceivedCounter(),
        )  # fmt: skip
        if client == PUBLIC:
            settings = ClientSettings()
        self.client = DlmsClient(WrapperFraming(client, 1, role=Role.CLIENT), settings)
        self.events = []
        self.client.open(EVENING)
        self.run()

    def run(self):
        while octets := self.client.data_to_send():
            self.server.receive_data(octets, EVENING)
            while self.server.next_event():
                pass
            self.client.receive_data(self.server.data_to_send(), EVENING)
            while (event := self.client.next_event()) is not None:
                self.events.append(event)
        return self.events[-1]


@pytest.mark.covers("IF-H3", "SEC-03")
def test_operator_and_consumer_come_in_with_keys_of_their_own():
    device = controller()
    for client in (OPERATOR, CONSUMER, PUBLIC):
        assert isinstance(Talk(device, client).events[0], Associated)
    own = device.keys
    assert isinstance(Talk(device, CONSUMER, keys=Keys(own.guek, own.gak)).events[0], Failed)
    assert isinstance(Talk(device, OPERATOR, keys=Keys(own.consumer_guek, own.consumer_gak)).events[0], Failed)
    assert isinstance(Talk(device, 5).events[0], Failed)


@pytest.mark.covers("SEC-13")
def test_the_consumers_association_is_not_served_over_the_neighbourhood():
    device = controller()
    assert isinstance(Talk(device, CONSUMER, is_local=False).events[0], Failed)
    assert isinstance(Talk(device, OPERATOR, is_local=False).events[0], Associated)


@pytest.mark.covers("F5b", "F5c")
def test_a_client_switches_and_reads_the_state_back():
    device = controller(offset_s=0)
    talk = Talk(device, OPERATOR)
    talk.client.act(MethodDescriptor(70, RELAY_ALL, 1), axdr.encode(axdr.i8(0)), now=EVENING)
    done = talk.run()
    assert isinstance(done, ActionDone)
    talk.client.get(SWITCH, now=EVENING)
    assert talk.run().result == b"\x03\x00"
    assert device.closed == [False, False]


def test_what_a_client_has_no_right_to_is_denied():
    device = controller()
    talk = Talk(device, PUBLIC)
    talk.client.get(SWITCH, now=EVENING)
    told = talk.run()
    assert isinstance(told, GetDone) and told.result is DataAccessResult.READ_WRITE_DENIED
    talk = Talk(device, OPERATOR)
    talk.client.set(((AttributeDescriptor(1, CONSENT, 2), None),), (b"\x03\x00",), now=EVENING)
    told = talk.run()
    assert isinstance(told, SetDone) and DataAccessResult.READ_WRITE_DENIED in told.results
    assert device.consent


def test_what_is_not_there_is_not_defined():
    logical = LogicalHome(controller(), HomeMemory(lambda: EVENING))
    nothing = Obis(9, 9, 9, 9, 9)
    assert logical.get(1, AttributeDescriptor(3, nothing, 2), None, EVENING) is DataAccessResult.OBJECT_UNDEFINED
    wrong = logical.get(1, AttributeDescriptor(3, RELAY_ALL, 2), None, EVENING)
    assert wrong is DataAccessResult.OBJECT_CLASS_INCONSISTENT
    assert logical.set(1, SWITCH, None, b"\x03\x00", EVENING) is DataAccessResult.READ_WRITE_DENIED
    assert logical.act(1, MethodDescriptor(70, nothing, 1), None, EVENING).result is ActionResult.OBJECT_UNDEFINED
    assert logical.act(1, MethodDescriptor(70, RELAY_ALL, 9), None, EVENING).result is ActionResult.OBJECT_UNDEFINED
    assert logical.act(16, MethodDescriptor(70, RELAY_ALL, 1), None, EVENING).result is ActionResult.READ_WRITE_DENIED


@pytest.mark.covers("SEC-03")
def test_a_broadcast_needs_the_groups_key():
    logical = LogicalHome(controller(), HomeMemory(lambda: EVENING))
    assert logical.broadcast(BROADCAST).keys == Keys(GBEK, GBAK)
    assert logical.broadcast(OPERATOR) is None
    logical.device.keys.gbek = b""
    assert logical.broadcast(BROADCAST) is None


def test_keys_are_transferred_under_the_master_key_or_not_at_all():
    device = controller()
    talk = Talk(device, OPERATOR)
    method = MethodDescriptor(64, Obis(0, 0, 43, 0, 0), 2)
    kind = interface_class(64, 0).method(2).type

    def transfer(*keys):
        data = kind.untyped([KeyTransfer(key_id=number, wrapped=octets) for number, octets in keys])
        talk.client.act(method, axdr.encode(data), now=EVENING)
        return talk.run()

    fresh, before = bytes(range(16)), device.keys.guek
    transfer((0, wrap_key(device.keys.kek, fresh)), (1, wrap_key(bytes(16), fresh)))
    assert device.keys.guek == before
    transfer((1, wrap_key(device.keys.kek, fresh)))
    assert device.keys.gbek == fresh
