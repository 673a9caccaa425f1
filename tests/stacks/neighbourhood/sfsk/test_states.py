"""Every state, every input, both sides: the next state, what is said, what is told; typed by hand a second time."""

import pytest

from meterway.base.octets import Reader
from meterway.stacks.dlms.framing import Noticed
from meterway.stacks.neighbourhood.llc432 import Lpdu
from meterway.stacks.neighbourhood.sfsk.ciase import (
    ClearAlarm,
    Discover,
    DiscoverReport,
    PingRequest,
    PingResponse,
    Register,
    RepeaterCall,
    decode_ci_pdu,
    is_ci_pdu,
)
from meterway.stacks.neighbourhood.sfsk.initiator import SfskInitiator
from meterway.stacks.neighbourhood.sfsk.mac import ALL_PHYSICAL, NEW, MacFrame
from meterway.stacks.neighbourhood.sfsk.server import SfskServer
from meterway.stacks.neighbourhood.sfsk.settings import SfskSettings
from meterway.stacks.neighbourhood.sfsk.states import (
    INITIATOR_TABLE,
    SERVER_TABLE,
    DeviceState,
    Input,
    ServerState,
)
from meterway.stacks.neighbourhood.station import Apdu, Joined, JoinRefused, Left, Undelivered

BASE, METER = b"BASE0001", b"METER001"
SETTINGS = SfskSettings(initiator=0xC00)
SIGNS = {Joined: "+", Left: "-", JoinRefused: "!", Apdu: "a", Noticed: ".", Undelivered: "?"}
UNLOCKED, LOCKED, REGISTERED = ServerState.UNLOCKED, ServerState.LOCKED, ServerState.REGISTERED
UNKNOWN, ENROLLING, MEMBER = DeviceState.UNKNOWN, DeviceState.ENROLLING, DeviceState.MEMBER
SERVER_INPUTS = [one for one in Input if one not in (Input.REPORT, Input.PONG, Input.EXPEL)]
INITIATOR_INPUTS = [Input.REPORT, Input.PONG, Input.DATA, Input.TIMEOUT, Input.EXPEL]

# (next state, what is said, what is told); what is not named stays where it is and is only noticed.
SERVER_EXPECTED = {
    UNLOCKED: {"DISCOVER": (LOCKED, "DiscoverReport", ""), "TIMEOUT": (UNLOCKED, "", "")},
    LOCKED: {
        "DISCOVER": (LOCKED, "DiscoverReport", ""),
        "REGISTER": (REGISTERED, "", "+"),
        "RESET": (LOCKED, "", ""),
        "CLEAR_ALARM": (LOCKED, "", ""),
        "REPEATER_CALL": (LOCKED, "", ""),
        "TIMEOUT": (UNLOCKED, "", ""),
    },
    REGISTERED: {
        "DISCOVER": (REGISTERED, "", ""),
        "REGISTER": (REGISTERED, "", "-+"),
        "RESET": (UNLOCKED, "", "-"),
        "PING": (REGISTERED, "PingResponse", ""),
        "DATA": (REGISTERED, "", "a"),
        "CLEAR_ALARM": (REGISTERED, "", ""),
        "REPEATER_CALL": (REGISTERED, "", ""),
        "TIMEOUT": (UNLOCKED, "", "-"),
    },
}
INITIATOR_EXPECTED = {
    UNKNOWN: {"REPORT": (ENROLLING, "Register PingRequest", "")},
    ENROLLING: {
        "REPORT": (ENROLLING, "", ""),
        "PONG": (MEMBER, "", "+"),
        "TIMEOUT": (UNKNOWN, " ".join(["Register PingRequest"] * 15), ""),
    },
    MEMBER: {
        "REPORT": (ENROLLING, "Register PingRequest", "-"),
        "PONG": (MEMBER, "", ""),
        "DATA": (MEMBER, "", "a"),
        "TIMEOUT": (UNKNOWN, "PingRequest PingRequest PingRequest PingRequest", "-"),
        "EXPEL": (UNKNOWN, "Register", "-"),
    },
}


def heard(what, *, source, destination):
    """The frame behind an input, as the other side would send it."""
    pdus = {
        Input.DISCOVER: Discover(probability=100, slots=1),
        Input.REPORT: DiscoverReport(servers=((METER, 1),)),
        Input.REGISTER: Register(initiator=BASE, servers=((METER, 9),)),
        Input.RESET: Register(initiator=BASE, servers=((METER, NEW),)),
        Input.PING: PingRequest(title=METER),
        Input.PONG: PingResponse(title=METER),
        Input.CLEAR_ALARM: ClearAlarm(alarm=1),
        Input.REPEATER_CALL: RepeaterCall(highest=99),
    }
    if what is Input.DATA:
        sdu = Lpdu(destination=1, source=16, apdu=b"apdu").encode()
    else:
        up = what in (Input.REPORT, Input.PONG)
        lsaps = (0xFD, 0) if up else (0, 1)
        sdu = Lpdu(destination=lsaps[0], source=lsaps[1], apdu=pdus[what].encode()).encode()
        if what not in (Input.PING, Input.PONG, Input.REPORT):
            destination = ALL_PHYSICAL
        if what is Input.REPORT:
            source = NEW
    return MacFrame(source=source, destination=destination, sdu=sdu).encode()


def said(station):
    names = []
    for out in station.frames_to_send():
        lpdu = Lpdu.decode(Reader(MacFrame.decode(Reader(out.octets)).sdu))
        is_ci = is_ci_pdu(lpdu.destination, lpdu.source)
        names.append(type(decode_ci_pdu(lpdu.apdu)).__name__ if is_ci else "data")
    return " ".join(names)


def told(station):
    signs = ""
    while (event := station.next_event()) is not None:
        signs += SIGNS[type(event)]
    return signs


def server_in(state):
    server = SfskServer(METER, SETTINGS)
    server.start(0.0)
    if state is not UNLOCKED:
        server.receive_frame(heard(Input.DISCOVER, source=0xC00, destination=0), 9, 0.0)
        server.handle_timeout(server.next_timeout())
    if state is REGISTERED:
        server.receive_frame(heard(Input.REGISTER, source=0xC00, destination=0).replace(b"", b""), 9, 1.0)
    assert server.state is state
    said(server), told(server)
    return server


@pytest.mark.covers("IF-C")
@pytest.mark.parametrize("what", SERVER_INPUTS, ids=lambda one: one.name)
@pytest.mark.parametrize("state", ServerState, ids=lambda one: one.name)
def test_a_server_in_every_state_with_every_input(state, what):
    server = server_in(state)
    if what is Input.TIMEOUT:
        server._input(Input.TIMEOUT)
    elif what is Input.REGISTER and state is REGISTERED:
        octets = Lpdu(destination=0, source=1, apdu=Register(initiator=BASE, servers=((METER, 10),)).encode()).encode()
        frame = MacFrame(source=0xC00, destination=ALL_PHYSICAL, sdu=octets).encode()
        server.receive_frame(frame, 9, 5.0)
        assert (said(server), told(server)) == ("", ""), "a late copy must not move it"
        server.receive_frame(frame, 9, 100.0)
        assert server._address == 10
    else:
        destination = 9 if state is REGISTERED else NEW
        server.receive_frame(heard(what, source=0xC00, destination=destination), 9, 200.0)
        if server.next_timeout() is not None and what is Input.DISCOVER:
            server.handle_timeout(202.0)
    expected = SERVER_EXPECTED[state].get(what.name, (state, "", "."))
    assert (server.state, said(server), told(server)) == expected


def initiator_in(state):
    initiator = SfskInitiator(BASE, lambda eui: b"", SETTINGS)
    initiator.start(0.0)
    initiator.handle_timeout(18.0)
    address = 5
    if state is not UNKNOWN:
        initiator.receive_frame(heard(Input.REPORT, source=NEW, destination=0xC00), 7, 18.0)
        (address,) = initiator._addresses
    if state is MEMBER:
        initiator.receive_frame(heard(Input.PONG, source=address, destination=0xC00), 7, 19.0)
    known = initiator._devices.get(METER)
    assert (known.state if known else UNKNOWN) is state
    initiator._alarms.cancel((b"", "discover"))
    said(initiator), told(initiator)
    return initiator, address


@pytest.mark.covers("IF-C")
@pytest.mark.parametrize("what", INITIATOR_INPUTS, ids=lambda one: one.name)
@pytest.mark.parametrize("state", DeviceState, ids=lambda one: one.name)
def test_an_initiator_in_every_state_with_every_input(state, what):
    initiator, address = initiator_in(state)
    spoken = ""
    if what is Input.TIMEOUT:
        if state is UNKNOWN:
            return
        names = []
        while METER in initiator._devices:
            initiator.handle_timeout(initiator.next_timeout())
            names.append(said(initiator))
        spoken = " ".join(filter(None, names))
    elif what is Input.EXPEL:
        if state is not MEMBER:
            return
        initiator.expel(METER, 30.0)
        spoken = said(initiator)
    else:
        initiator.receive_frame(heard(what, source=address, destination=0xC00), 7, 30.0)
        spoken = said(initiator)
    known = initiator._devices.get(METER)
    after = known.state if known else UNKNOWN
    assert (after, spoken, told(initiator)) == INITIATOR_EXPECTED[state].get(what.name, (state, "", "."))
    assert (METER in initiator.members) is (after is MEMBER)


def test_the_tables_know_every_input_in_every_state():
    for table, states in ((SERVER_TABLE, ServerState), (INITIATOR_TABLE, DeviceState)):
        assert set(table) == set(states)
        for row in table.values():
            assert set(row) == set(Input)
