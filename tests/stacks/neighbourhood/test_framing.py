"""DLMS over a station of any profile."""

import pytest

from meterway.base.errors import LinkError, LocalProtocolError
from meterway.stacks.dlms.framing import ApduReceived, Connected, Disconnected, Noticed, Role
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu
from stacks.neighbourhood.toy_station import ToyStation

METER, OTHER = b"METER001", b"METER002"


@pytest.fixture
def station():
    one = ToyStation(b"CONCENTR", admit=lambda eui: b"")
    one.receive_frame(b"\x00" + METER + bytes(2), 7, 0.0)
    one.next_event(), one.frames_to_send()
    return one


def apdu(client=1, server=1, octets=b"\xc4"):
    return Apdu(eui=METER, apdu=octets, client=client, server=server)


def test_what_is_sent_leaves_through_the_station(station):
    framing = StationFraming(station, METER, 1, 16, role=Role.CLIENT)
    framing.connect(0.0)
    assert framing.next_event() == Connected()
    framing.urgent = True
    framing.send(b"\xc0\x01", 0.0)
    (frame,) = station.frames_to_send()
    assert (frame.octets[9:], frame.to, frame.urgent) == (b"\x01\x10\xc0\x01", 7, True)
    assert framing.data_to_send() == b""


def test_a_client_takes_only_what_is_for_its_association(station):
    framing = StationFraming(station, METER, 1, 16, role=Role.CLIENT)
    framing.take(apdu(server=16))
    framing.take(apdu(client=2, server=16))
    assert framing.next_event() == ApduReceived(apdu=b"\xc4", client=1, server=16)
    noticed = framing.next_event()
    assert isinstance(noticed, Noticed)
    assert noticed.kind == "address"


def test_a_server_answers_whom_it_heard_last(station):
    framing = StationFraming(station, METER, 0, 0, role=Role.SERVER)
    framing.take(apdu(client=102, server=3))
    framing.send(b"\x61", 0.0)
    (frame,) = station.frames_to_send()
    assert frame.octets[9:11] == bytes([102, 3])


def test_a_peer_that_is_no_member_closes_with_an_error(station):
    framing = StationFraming(station, OTHER, 1, 1, role=Role.CLIENT)
    framing.send(b"\xc0", 0.0)
    event = framing.next_event()
    assert isinstance(event, Disconnected)
    assert isinstance(event.error, LocalProtocolError)
    framing.send(b"\xc0", 0.0)
    assert framing.next_event().kind == "closed"


def test_a_peer_that_is_gone_cuts_once(station):
    framing = StationFraming(station, METER, 1, 1, role=Role.CLIENT)
    framing.cut("it left")
    framing.cut("it left again")
    framing.receive_data(b"", 0.0)
    event = framing.next_event()
    assert isinstance(event.error, LinkError)
    assert framing.next_event() is None
    framing.take(apdu())
    assert framing.next_event() is None
