"""Broadcasts: taken under the broadcast key alone, once, and never answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.ciphers import Gcm12
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.security.context import Keys, SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.server import BroadcastKeys, BroadcastServer
from meterway.stacks.dlms.xdlms.action import ActionOutcome, ActionRequestNormal
from meterway.stacks.dlms.xdlms.get import GetRequestNormal
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult
from meterway.stacks.dlms.xdlms.set import SetRequestNormal

KEYS = Keys(bytes(range(16)), bytes(range(16, 32)))
CLOCK = AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2)
SET = SetRequestNormal(invoke=0x81, attribute=CLOCK, selection=None, value=axdr.encode(axdr.u8(5))).encode()
ACT = ActionRequestNormal(invoke=0x81, method=MethodDescriptor(18, Obis(0, 0, 44, 0, 0), 2), parameters=b"\0").encode()
GET = GetRequestNormal(invoke=0x81, attribute=CLOCK, selection=None).encode()


class Device:
    system_title = b"MWYMETER"

    def __init__(self):
        self.done, self.notices = [], []
        self.received = ReceivedCounter()

    def broadcast(self, client):
        if client != 102:
            return None
        return BroadcastKeys(keys=KEYS, cipher=Gcm12(KEYS.encryption), received=self.received)

    def set(self, client, attribute, selection, value, now):
        self.done.append((client, attribute, value))
        return DataAccessResult.SUCCESS

    def act(self, client, method, parameters, now):
        self.done.append((client, method, parameters))
        return ActionOutcome(ActionResult.SUCCESS)

    def noticed(self, client, kind, now):
        self.notices.append(kind)


def sender(counter=0, *, keys=KEYS, control=0x70, title=b"MWYNNAP1"):
    return SecurityContext(
        keys=keys, own_title=title, peer_title=b"", send_counter=SendCounter(counter),
        received=ReceivedCounter(), control=control,
    )  # fmt: skip


def take(device, apdu, client=102, server=1):
    return BroadcastServer(lambda number: device if number == 1 else None).take(
        apdu, client=client, server=server, now=0.0
    )


@pytest.mark.covers("E-NNAP")
def test_a_set_and_an_action_are_done():
    device, security = Device(), sender()
    assert take(device, security.protect_general(SET))
    assert take(device, security.protect_general(ACT))
    assert [what[0] for what in device.done] == [102, 102]
    assert device.notices == []


def test_the_octets_are_those_that_the_security_control_and_the_counter_say():
    apdu = sender(7).protect_general(SET)
    assert apdu[:10] == b"\xdb\x08MWYNNAP1"
    assert apdu[11:16] == bytes.fromhex("7000000007")


def test_the_same_message_counts_once_whoever_sends():
    device = Device()
    apdu = sender(5).protect_general(SET)
    assert take(device, apdu)
    assert not take(device, apdu)  # it is sent again because some may have missed it: no offence
    assert device.notices == []
    assert not take(device, sender(4, title=b"MWYNNAP2").protect_general(SET))
    assert device.notices == ["counter"]
    assert len(device.done) == 1


@pytest.mark.parametrize(
    ("apdu", "notice"),
    [
        (sender(keys=Keys(bytes(16), KEYS.authentication)).protect_general(SET), "tag"),
        (sender(keys=Keys(KEYS.encryption, bytes(16))).protect_general(SET), "tag"),
        (sender(control=0x30).protect_general(SET), "policy"),
        (sender(control=0x50).protect_general(SET), "policy"),
        (sender().protect(SET), "policy"),
        (SET, "policy"),
        (b"\xdb\x00\x05\x70\x00\x00\x00\x01", "policy"),
        (b"", "decode"),
        (b"\xdb\x08", "decode"),
    ],
)
def test_what_is_not_protected_by_the_broadcast_key_does_nothing(apdu, notice):
    device = Device()
    assert not take(device, apdu)
    assert device.notices == [notice]
    assert device.done == []
    assert device.received.last == -1


def test_a_read_request_and_unknown_addresses_do_nothing():
    device = Device()
    assert not take(device, sender().protect_general(GET))
    assert not take(device, sender().protect_general(SET), client=1)
    assert not take(device, sender().protect_general(SET), server=2)
    assert device.done == []


@given(st.binary(max_size=60), st.integers(0, 70))
def test_damaged_octets_do_nothing_but_what_was_sent(junk, place):
    """The length of the title may come in a longer form: it is not under the tag, all that it leads to is."""
    device = Device()
    whole = sender().protect_general(SET)
    for apdu in (junk, whole[:place] + junk + whole[place:] if junk else b""):
        if take(device, apdu):
            assert apdu[10 + len(junk) :] == whole[10:]
    assert device.done in ([], [(102, CLOCK, axdr.encode(axdr.u8(5)))])
