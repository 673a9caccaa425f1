"""A device on a node: it comes, is asked by coordinators, and goes."""

import pytest

import dlms_device as device
from interfaces.test_stationed import Port, Wire
from meterway.base.errors import LocalProtocolError
from meterway.interfaces.device_node import DeviceNode
from meterway.interfaces.stationed import Stationed
from meterway.stacks.dlms.client import Associated, DlmsClient
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.server import DlmsServer
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu, Joined, Left
from stacks.neighbourhood.toy_station import ToyStation

pytestmark = pytest.mark.covers("IF-C", "IF-H3")


class Thing(DeviceNode):
    """Answers as the tests' device does."""

    def __init__(self, wire, node=5):
        super().__init__(lambda: Port(wire, node))
        self.wire, self.is_able, self.stations = wire, True, 0

    @property
    def _clock(self):
        return self.wire

    def _new_station(self):
        self.stations += 1
        return ToyStation(b"METER001")

    def _new_server(self, framing):
        return DlmsServer(framing, lambda sap: device.Device())

    def _may_enter(self):
        return self.is_able

    def _on_event(self, event):
        match event:
            case Joined():
                self.is_member = True
            case Left():
                self.is_member = False
            case Apdu():
                self._answer(event, self.wire.now())


class Coordinator:
    """Opens an association with whoever joins."""

    def __init__(self, wire, eui=b"CONCENTR", node=0):
        self.wire, self.told = wire, []
        self.stationed = Stationed(ToyStation(eui, admit=lambda _: b""), Port(wire, node), wire, self.take)
        self.client = None
        self.stationed.start()

    def take(self, event):
        match event:
            case Joined():
                framing = StationFraming(self.stationed.station, event.member.eui, 16, 1, role=Role.CLIENT)
                self.framing, self.client = framing, DlmsClient(framing, device.settings(device.PUBLIC))
                self.client.open(self.wire.now())
            case Apdu():
                self.framing.take(event)
                self.client.receive_data(b"\0", self.wire.now())
        while self.client is not None and (told := self.client.next_event()) is not None:
            self.told.append(told)


def test_it_joins_when_its_time_has_come_and_answers_who_asks():
    wire = Wire()
    base, thing = Coordinator(wire), Thing(wire)
    thing.enter_after(10.0)
    wire.run(1009.0)
    assert (thing.station, thing.is_member) == (None, False)
    wire.run(1011.0)
    assert thing.is_member
    assert [type(one) for one in base.told] == [Associated]


def test_it_does_not_come_while_it_cannot_and_comes_once_when_asked_twice():
    wire = Wire()
    Coordinator(wire)
    thing = Thing(wire)
    thing.is_able = False
    thing.enter_after(1.0)
    wire.run(1002.0)
    assert thing.station is None
    thing.enter()
    thing.enter()
    assert thing.stations == 1


def test_it_vanishes_now_or_later_or_not_if_it_comes_back_before():
    wire = Wire()
    Coordinator(wire)
    thing = Thing(wire)
    thing.enter()
    wire.run(1001.0)
    thing.leave_after(5.0)
    thing.enter()
    wire.run(1010.0)
    assert thing.is_member
    thing.leave_after(5.0)
    wire.run(1020.0)
    assert (thing.station, thing.is_member, list(wire.ports)) == (None, False, [0])
    thing.leave()


def test_it_keeps_sessions_with_four_coordinators_at_most_and_none_off_the_network():
    wire = Wire()
    Coordinator(wire)
    thing = Thing(wire)
    thing.enter()
    wire.run(1001.0)
    for number in range(6):
        thing._answer(Apdu(eui=b"CONCENT%d" % number, apdu=b"\x62\x00", client=16, server=1), wire.now())
    assert len(thing._servers) <= 4
    thing.leave()
    with pytest.raises(LocalProtocolError, match="off the network"):
        thing._answer(Apdu(eui=b"CONCENTR", apdu=b"\x62\x00", client=16, server=1), wire.now())
