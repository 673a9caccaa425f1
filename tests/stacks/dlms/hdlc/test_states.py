"""Every state, every input, both sides: the next state, what is answered, what is reported."""

import pytest

from meterway.stacks.dlms.framing import ApduReceived, Connected, Disconnected, FramingEvent, Noticed, Role
from meterway.stacks.dlms.hdlc.address import HdlcAddress
from meterway.stacks.dlms.hdlc.connection import HdlcFraming
from meterway.stacks.dlms.hdlc.frame import FrameKind, HdlcFrame
from meterway.stacks.dlms.hdlc.states import TABLE, Call, State
from meterway.stacks.dlms.hdlc.stream import Deframer

CLIENT, SERVER = HdlcAddress(logical=16), HdlcAddress(logical=1, physical=17, size=2)
CONTROL = {
    FrameKind.I: 0x10,
    FrameKind.RR: 0x11,
    FrameKind.RNR: 0x15,
    FrameKind.SNRM: 0x93,
    FrameKind.DISC: 0x53,
    FrameKind.UA: 0x73,
    FrameKind.DM: 0x1F,
    FrameKind.FRMR: 0x97,
    FrameKind.UI: 0x13,
    FrameKind.UNKNOWN: 0x19,
}

# What is expected, typed a second time and by hand: (next state, answers, what is reported).
# "." is Noticed, "+" Connected, "-" Disconnected without and "!" with an error, "a" an APDU.
SAME = "same state"
DROPPED = (SAME, "", ".")
SILENT = (SAME, "", "")
Expected = tuple[State | str, str, str]
NUMBERED = ("I", "RR", "RNR")

EXPECTED: dict[tuple[Role, State], dict[str, Expected]] = {
    (Role.CLIENT, State.CLOSED): {
        "CONNECT": (State.OPENING, "SNRM", ""),
        "DISCONNECT": (SAME, "", "-"),
        "LEAVE": (SAME, "", "-"),
    },
    (Role.CLIENT, State.OPENING): {
        "UA": (State.OPEN, "", "+"),
        "DM": (State.CLOSED, "", "!"),
        "FRMR": (State.CLOSED, "", "!"),
        "CONNECT": SILENT,
        "DISCONNECT": (State.CLOSING, "DISC", ""),
        "LEAVE": (State.CLOSED, "", "-"),
        "GIVE_UP": (State.CLOSED, "", "!"),
        "LINE_CLOSED": (State.CLOSED, "", "!"),
    },
    (Role.CLIENT, State.OPEN): {
        "I": (SAME, "", "a"),
        "RR": SILENT,
        "RNR": SILENT,
        "DM": (State.CLOSED, "", "!"),
        "FRMR": (State.CLOSED, "", "!"),
        "CONNECT": (State.OPENING, "SNRM", ""),
        "DISCONNECT": (State.CLOSING, "DISC", ""),
        "LEAVE": (State.CLOSED, "", "-"),
        "GIVE_UP": (State.CLOSED, "", "!"),
        "LINE_CLOSED": (State.CLOSED, "", "!"),
    },
    (Role.CLIENT, State.CLOSING): {
        "UA": (State.CLOSED, "", "-"),
        "DM": (State.CLOSED, "", "-"),
        "FRMR": (State.CLOSED, "", "-"),
        "CONNECT": (State.OPENING, "SNRM", ""),
        "DISCONNECT": SILENT,
        "LEAVE": (State.CLOSED, "", "-"),
        "GIVE_UP": (State.CLOSED, "", "!"),
        "LINE_CLOSED": (State.CLOSED, "", "-"),
    },
    (Role.SERVER, State.CLOSED): {
        "SNRM": (State.OPEN, "UA", "+"),
        **dict.fromkeys((*NUMBERED, "DISC", "UNKNOWN"), (SAME, "DM", "")),
        "LEAVE": (SAME, "", "-"),
    },
    (Role.SERVER, State.OPEN): {
        "SNRM": (State.OPEN, "UA", "!+"),
        "DISC": (State.CLOSED, "UA", "-"),
        "I": (SAME, "", "a"),
        "RR": (SAME, "RR", ""),
        "RNR": (SAME, "RR", ""),
        "UNKNOWN": (State.REJECTING, "FRMR", "."),
        "LEAVE": (State.CLOSED, "", "-"),
        "GIVE_UP": (State.CLOSED, "", "!"),
        "LINE_CLOSED": (State.CLOSED, "", "!"),
    },
    (Role.SERVER, State.REJECTING): {
        "SNRM": (State.OPEN, "UA", "!+"),
        "DISC": (State.CLOSED, "UA", "-"),
        **dict.fromkeys((*NUMBERED, "UNKNOWN"), (SAME, "FRMR", ".")),
        "LEAVE": (State.CLOSED, "", "-"),
        "GIVE_UP": (State.CLOSED, "", "!"),
        "LINE_CLOSED": (State.CLOSED, "", "!"),
    },
}
CALLS_OF = {Role.CLIENT: set(Call), Role.SERVER: {Call.LEAVE, Call.GIVE_UP, Call.LINE_CLOSED}}


def drained(engine: HdlcFraming) -> list[FramingEvent]:
    events = []
    while (event := engine.next_event()) is not None:
        events.append(event)
    return events


def heard(engine: HdlcFraming, kind: FrameKind, role: Role) -> None:
    own, peer = (CLIENT, SERVER) if role is Role.CLIENT else (SERVER, CLIENT)
    information = b"\xe6\xe6\x00apdu" if kind in (FrameKind.I, FrameKind.UI) else b""
    frame = HdlcFrame(destination=own, source=peer, control=CONTROL[kind], information=information)
    engine.receive_data(frame.encode(), 0)


def engine_in(state: State, role: Role) -> HdlcFraming:
    engine = HdlcFraming(role=role, client=16, server=SERVER)
    if role is Role.CLIENT and state is not State.CLOSED:
        engine.connect(0)
        if state is not State.OPENING:
            heard(engine, FrameKind.UA, role)
        if state is State.CLOSING:
            engine.disconnect(0)
    if role is Role.SERVER and state is not State.CLOSED:
        heard(engine, FrameKind.SNRM, role)
        if state is State.REJECTING:
            heard(engine, FrameKind.UNKNOWN, role)
    assert engine.state is state
    engine.data_to_send()
    drained(engine)
    return engine


def called(engine: HdlcFraming, call: Call) -> None:
    if call is Call.CONNECT:
        engine.connect(0)
    elif call in (Call.DISCONNECT, Call.LEAVE) and call is (
        Call.DISCONNECT if engine._role is Role.CLIENT else Call.LEAVE
    ):
        engine.disconnect(0)
    elif call is Call.LEAVE:
        engine._call(call, 0)
    elif call is Call.LINE_CLOSED:
        engine.receive_data(b"", 0)
    else:
        while (due := engine.next_timeout()) is not None:
            engine.handle_timeout(due)
        if engine.state is State.OPEN:
            engine._give_up(RuntimeWarning("out of patience"), 0)  # type: ignore[arg-type]


def answers(engine: HdlcFraming) -> str:
    return " ".join(found.frame.kind.name for found in Deframer().feed(engine.data_to_send()) if found.frame)


def sign(event: FramingEvent) -> str:
    if isinstance(event, Disconnected):
        return "!" if event.error else "-"
    return {Connected: "+", Noticed: ".", ApduReceived: "a"}[type(event)]


CASES = [
    (role, state, kind)
    for role, state in EXPECTED
    for kind in (*FrameKind, *Call)
    if kind in CALLS_OF[role] or kind in set(FrameKind)
]


@pytest.mark.parametrize(("role", "state", "what"), CASES, ids=lambda item: item.name)
def test_every_input_in_every_state_on_both_sides(role: Role, state: State, what: FrameKind | Call) -> None:
    engine = engine_in(state, role)
    if what is Call.GIVE_UP:
        called(engine, what)
        engine.data_to_send()
        signs = "".join(sign(event) for event in drained(engine)).replace(".", "")
    else:
        heard(engine, what, role) if isinstance(what, FrameKind) else called(engine, what)
        signs = "".join(sign(event) for event in drained(engine))
    if what is FrameKind.UI:
        default: Expected = (SAME, "", "a")
    else:
        default = DROPPED if isinstance(what, FrameKind) else SILENT
    state_after, answer, report = EXPECTED[role, state].get(what.name, default)
    assert engine.state is (state if state_after == SAME else state_after)
    assert answers(engine) == answer
    assert signs == report


def test_the_table_knows_every_input_in_every_state() -> None:
    assert set(TABLE) == set(State)
    for row in TABLE.values():
        assert set(row) == set(FrameKind) | set(Call)
