"""Every state, every input, both sides: the next state, what is said, what is told; typed by hand a second time."""

import pytest

from meterway.base.octets import Reader
from meterway.stacks.dlms.framing import Noticed
from meterway.stacks.neighbourhood.prime.arq import ArqHeader
from meterway.stacks.neighbourhood.prime.base_node import BaseNode
from meterway.stacks.neighbourhood.prime.beacon import Beacon
from meterway.stacks.neighbourhood.prime.control import Alv, Con, Reg
from meterway.stacks.neighbourhood.prime.packet import ControlType, Packet, Version, header_type
from meterway.stacks.neighbourhood.prime.service_node import ServiceNode
from meterway.stacks.neighbourhood.prime.settings import PrimeSettings, eui48_of
from meterway.stacks.neighbourhood.prime.states import BASE_TABLE, NODE_TABLE, DeviceState, Input, NodeState
from meterway.stacks.neighbourhood.station import Apdu, Joined, JoinRefused, Left

BASE, METER = b"BASE0001", b"METER001"
SNA, EUI48 = eui48_of(BASE), eui48_of(METER)
V = Version.V136
SETTINGS = PrimeSettings(join_spread_s=0.0, control_repetitions=1, repetitions=1)
SIGNS = {Joined: "+", Left: "-", JoinRefused: "!", Apdu: "a", Noticed: "."}
LLC = b"\x90\x01\x01apdu"
S, R, C, ON = NodeState.SEARCHING, NodeState.REGISTERING, NodeState.CONNECTING, NodeState.CONNECTED
U, OFF, REG, CON, LEAVE = (
    DeviceState.UNKNOWN,
    DeviceState.OFFERED,
    DeviceState.REGISTERED,
    DeviceState.CONNECTED,
    DeviceState.LEAVING,
)

NOT_HEARD = ("REG_REQ", "REG_RSP", "REG_REJ", "REG_UNR", "CON_REQ", "CON_CLS", "ALV", "DATA")
# (next state, what is said, what is told); what is not named stays where it is and is only noticed.
NODE_EXPECTED = {
    S: {**dict.fromkeys(NOT_HEARD, (S, "", "")), "BEACON": (R, "", ""), "TIMEOUT": (S, "PNPDU", "")},
    R: {
        "BEACON": (R, "", ""),
        "REG_RSP": (C, "REG CON", ""),
        "REG_REJ": (S, "", ""),
        "TIMEOUT": (S, "REG", ""),
    },
    C: {
        "BEACON": (C, "", ""),
        "REG_RSP": (C, "REG", ""),
        "REG_UNR": (S, "UNR", ""),
        "CON_REQ": (ON, "", "+"),
        "CON_CLS": (S, "UNR", ""),
        "ALV": (C, "ALV", ""),
        "DATA": (C, "", ""),
        "TIMEOUT": (S, "CON UNR", ""),
    },
    ON: {
        "BEACON": (ON, "", ""),
        "REG_RSP": (ON, "REG", ""),
        "REG_UNR": (S, "UNR", "-"),
        "CON_REQ": (ON, "", ""),
        "CON_CLS": (S, "UNR", "-"),
        "ALV": (ON, "ALV", ""),
        "DATA": (ON, "data", "a"),
        "TIMEOUT": (S, "ALV", "-"),
        "LOST": (S, "UNR", "-"),
    },
}
BASE_EXPECTED = {
    OFF: {
        "REG_REQ": (OFF, "REG", ""),
        "REG_ACK": (REG, "", ""),
        "REG_UNR": (U, "", ""),
        "CON_REQ": (CON, "CON", "+"),
        "TIMEOUT": (U, "REG", ""),
    },
    REG: {
        "REG_ACK": (REG, "", ""),
        "REG_UNR": (U, "UNR", ""),
        "CON_REQ": (CON, "CON", "+"),
        "CON_CLS": (REG, "", ""),
        "ALV": (REG, "", ""),
        "TIMEOUT": (LEAVE, "UNR", ""),
    },
    CON: {
        "REG_ACK": (CON, "", ""),
        "REG_UNR": (U, "UNR", "-"),
        "CON_REQ": (CON, "CON", ""),
        "CON_CLS": (LEAVE, "UNR", "-"),
        "ALV": (CON, "", ""),
        "DATA": (CON, "data", "a"),
        "TIMEOUT": (LEAVE, "ALV ALV UNR", "-"),
        "LOST": (LEAVE, "data data UNR", "-"),
        "EXPEL": (LEAVE, "UNR", "-"),
    },
    LEAVE: {
        "REG_ACK": (LEAVE, "", ""),
        "REG_UNR": (U, "", ""),
        "CON_REQ": (LEAVE, "", ""),
        "CON_CLS": (LEAVE, "", ""),
        "ALV": (LEAVE, "", ""),
        "DATA": (LEAVE, "", ""),
        "TIMEOUT": (U, "UNR", ""),
    },
}


def frame(kind, content, *, down, lnid, lcid=0):
    if kind is None:
        return Packet(down=down, lnid=lnid, lcid=lcid, payload=content).encode(SNA, V)
    return Packet(down=down, lnid=lnid, lcid=kind, payload=content, control=True).encode(SNA, V)


def heard(what, *, down, lnid, lcid):
    """The frame behind an input, as the other side would send it."""
    if what is Input.BEACON:
        return Beacon(sna=SNA).encode(V)
    if what in (Input.REG_REQ, Input.REG_REJ):
        reg = Reg(negative=what is Input.REG_REJ, eui48=EUI48)
        return frame(ControlType.REG, reg.encode(), down=down, lnid=0x3FFF)
    if what in (Input.REG_RSP, Input.REG_ACK, Input.REG_UNR):
        reg = Reg(negative=what is Input.REG_UNR, eui48=EUI48, time=5)
        return frame(ControlType.REG, reg.encode(), down=down, lnid=lnid)
    if what in (Input.CON_REQ, Input.CON_CLS):
        data = b"\x00\x07\x00\x00" + BASE if down else METER
        con = Con(negative=what is Input.CON_CLS, lcid=lcid, data=data)
        return frame(ControlType.CON, con.encode(), down=down, lnid=lnid)
    if what is Input.ALV:
        return frame(ControlType.ALV, Alv(sent=1, time=5).encode(V), down=down, lnid=lnid)
    data = ArqHeader(number=0, flush=True, acknowledged=0, window=16).encode() + b"\x00" + LLC
    return frame(None, data, down=down, lnid=lnid, lcid=lcid)


def said(station):
    names = []
    for out in station.frames_to_send():
        kind = header_type(out.octets)
        if kind == 1:
            names.append("PNPDU")
        elif kind == 2:
            names.append("BCN")
        else:
            packet = Packet.decode(Reader(out.octets), SNA, V)
            if not packet.control:
                names.append("data")
            elif packet.lcid == ControlType.REG and Reg.decode(Reader(packet.payload)).negative:
                names.append("UNR")
            else:
                names.append(ControlType(packet.lcid).name)
    return " ".join(names)


def told(station):
    signs = ""
    while (event := station.next_event()) is not None:
        signs += SIGNS.get(type(event), "?")
    return signs


def run_out(station, stop):
    """Nobody answers: timeouts until ``stop`` says so; what was said on the way."""
    names = []
    for _ in range(30):
        if stop():
            break
        station.handle_timeout(station.next_timeout())
        names.append(said(station))
    return " ".join(filter(None, names))


def node_in(state):
    node = ServiceNode(METER, SETTINGS)
    node.start(0.0)
    steps = {S: 0, R: 1, C: 2, ON: 3}[state]
    if steps > 0:
        node.receive_frame(Beacon(sna=SNA).encode(V), 9, 0.0)
        node.handle_timeout(node.next_timeout())
    if steps > 1:
        node.receive_frame(heard(Input.REG_RSP, down=True, lnid=7, lcid=0), 9, 0.0)
    if steps > 2:
        node.receive_frame(heard(Input.CON_REQ, down=True, lnid=7, lcid=node._own_lcid), 9, 0.0)
    assert node.state is state
    said(node), told(node)
    return node


@pytest.mark.covers("IF-C")
@pytest.mark.parametrize("what", [one for one in Input if one is not Input.EXPEL], ids=lambda one: one.name)
@pytest.mark.parametrize("state", NodeState, ids=lambda one: one.name)
def test_a_node_in_every_state_with_every_input(state, what):
    node = node_in(state)
    if what is Input.TIMEOUT:
        before = node.state
        spoken = run_out(node, lambda: node.state is not before or (before is S and node._attempts > 0))
    elif what is Input.LOST:
        node._input(Input.LOST, None)
        spoken = said(node)
    elif what is Input.REG_ACK:  # has the form of a REG_RSP when it comes down; a copy of its own kind never does
        return
    else:
        lcid = node._own_lcid
        node.receive_frame(heard(what, down=what is not Input.REG_REQ, lnid=7, lcid=lcid), 9, 1.0)
        spoken = said(node)
    expected = NODE_EXPECTED[state].get(what.name, (state, "", "."))
    assert (node.state, spoken, told(node)) == expected


def base_in(state):
    base = BaseNode(BASE, lambda eui: b"", SETTINGS)
    base.start(0.0)
    base.receive_frame(heard(Input.REG_REQ, down=False, lnid=0, lcid=0), 9, 0.0)
    (lnid,) = base._devices._by_lnid
    if state in (REG, CON, LEAVE):
        base.receive_frame(heard(Input.REG_ACK, down=False, lnid=lnid, lcid=0), 9, 0.0)
    if state in (CON, LEAVE):
        base.receive_frame(heard(Input.CON_REQ, down=False, lnid=lnid, lcid=300), 9, 0.0)
    if state is LEAVE:
        base.expel(METER, 0.0)
    assert base._devices.behind(lnid).state is state
    base._alarms.cancel((0, "beacon"))
    said(base), told(base)
    return base, lnid


@pytest.mark.covers("IF-C")
@pytest.mark.parametrize(
    "what", [one for one in Input if one not in (Input.REG_RSP, Input.REG_REJ)], ids=lambda o: o.name
)
@pytest.mark.parametrize("state", [OFF, REG, CON, LEAVE], ids=lambda one: one.name)
def test_a_base_node_in_every_state_with_every_input(state, what):
    base, lnid = base_in(state)
    device = base._devices.behind(lnid)
    if what is Input.REG_REQ and state is not OFF:
        base.receive_frame(heard(what, down=False, lnid=lnid, lcid=300), 9, 1.0)
        assert device.state is state, "a copy of a request must not put a device out"
        assert said(base) == "REG"
        return
    if what is Input.LOST:
        if state is not CON:
            return
        base.send_apdu(METER, b"x", client=1, server=1, now=0.0)
        spoken = said(base) + " " + run_out(base, lambda: device.state is not state)
        assert told(base) == "?-"
        assert (device.state, spoken) == BASE_EXPECTED[CON]["LOST"][:2]
        return
    if what is Input.TIMEOUT:
        spoken = run_out(base, lambda: device.state is not state)
    elif what is Input.EXPEL:
        if state is not CON:
            return
        base.expel(METER, 1.0)
        spoken = said(base)
    else:
        base.receive_frame(heard(what, down=False, lnid=lnid, lcid=300), 9, 1.0)
        spoken = said(base)
    default = (state, "", "" if what is Input.BEACON else ".")
    assert (device.state, spoken, told(base)) == BASE_EXPECTED[state].get(what.name, default)
    assert (METER in base.members) is (device.state is CON)
    if device.state is U:
        assert base._devices.behind(lnid) is None


@pytest.mark.parametrize("what", [Input.REG_ACK, Input.REG_UNR, Input.CON_REQ, Input.CON_CLS, Input.ALV, Input.DATA])
def test_a_base_node_and_an_lnid_that_nobody_has(what):
    base = BaseNode(BASE, lambda eui: b"", SETTINGS)
    base.start(0.0)
    said(base)
    base.receive_frame(heard(what, down=False, lnid=77, lcid=300), 9, 1.0)
    expected = ("UNR", ".") if what in (Input.CON_REQ, Input.ALV, Input.DATA) else ("", "")
    assert (said(base), told(base)) == expected


def test_the_tables_know_every_input_in_every_state():
    for table, states in ((NODE_TABLE, NodeState), (BASE_TABLE, DeviceState)):
        assert set(table) == set(states)
        for row in table.values():
            assert set(row) == set(Input)
