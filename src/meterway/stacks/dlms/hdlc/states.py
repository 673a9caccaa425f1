"""The HDLC data link as one table: state and input to next state and action (IEC 62056-46, normal response mode).

The table does not know which side it is on; ``HEARD_BY`` says which frames a side may hear at all.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.hdlc.frame import FrameKind

__all__ = ["HEARD_BY", "TABLE", "Action", "Call", "State"]


class State(Enum):
    """Where a data link stands."""

    CLOSED = "closed"
    OPENING = "opening"
    """SNRM is out, UA awaited."""
    OPEN = "open"
    CLOSING = "closing"
    """DISC is out, UA awaited."""
    REJECTING = "rejecting"
    """FRMR is out: only SNRM or DISC helps."""


class Call(Enum):
    """What does not come as a frame."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    LEAVE = "leave"
    """The secondary ends the link; it cannot send DISC."""
    GIVE_UP = "give up"
    """Retries or patience are used up."""
    LINE_CLOSED = "line closed"


class Action(Enum):
    """What is done on the way to the next state."""

    NOTHING = "nothing"
    SEND_SNRM = "send SNRM"
    SEND_DISC = "send DISC"
    END = "report the end that was asked for"
    FAIL = "report the end with its reason"
    NOTICE = "report a frame that does not fit and drop it"
    ACCEPT = "answer UA, begin anew"
    AGREE = "take over what UA says"
    RELEASE = "answer UA, report the end"
    REFUSE = "answer DM"
    LOST = "report that the other side has ended the link"
    RELEASED = "the other side agreed to the end"
    TAKE = "take an I, RR or RNR frame"
    DELIVER = "deliver an unnumbered APDU"
    REJECT = "answer FRMR"


_NUMBERED: Final = (FrameKind.I, FrameKind.RR, FrameKind.RNR)
_Row = dict[FrameKind | Call, tuple[State, Action]]


def _row(state: State, numbered: tuple[State, Action], **others: tuple[State, Action]) -> _Row:
    """A row in which all frames that are not named are noticed only and all calls that are not named do nothing."""
    row: _Row = dict.fromkeys(FrameKind, (state, Action.NOTICE))
    row.update(dict.fromkeys(Call, (state, Action.NOTHING)))
    row.update(dict.fromkeys(_NUMBERED, numbered))
    row[FrameKind.UI] = (state, Action.DELIVER)
    for name, entry in others.items():
        row[Call[name] if name in Call.__members__ else FrameKind[name]] = entry
    return row


TABLE: Final[dict[State, _Row]] = {
    State.CLOSED: _row(
        State.CLOSED,
        (State.CLOSED, Action.REFUSE),
        SNRM=(State.OPEN, Action.ACCEPT),
        DISC=(State.CLOSED, Action.REFUSE),
        UNKNOWN=(State.CLOSED, Action.REFUSE),
        CONNECT=(State.OPENING, Action.SEND_SNRM),
        DISCONNECT=(State.CLOSED, Action.END),
        LEAVE=(State.CLOSED, Action.END),
    ),
    State.OPENING: _row(
        State.OPENING,
        (State.OPENING, Action.NOTICE),
        UA=(State.OPEN, Action.AGREE),
        DM=(State.CLOSED, Action.LOST),
        FRMR=(State.CLOSED, Action.LOST),
        DISCONNECT=(State.CLOSING, Action.SEND_DISC),
        LEAVE=(State.CLOSED, Action.END),
        GIVE_UP=(State.CLOSED, Action.FAIL),
        LINE_CLOSED=(State.CLOSED, Action.FAIL),
    ),
    State.OPEN: _row(
        State.OPEN,
        (State.OPEN, Action.TAKE),
        SNRM=(State.OPEN, Action.ACCEPT),
        DISC=(State.CLOSED, Action.RELEASE),
        DM=(State.CLOSED, Action.LOST),
        FRMR=(State.CLOSED, Action.LOST),
        UNKNOWN=(State.REJECTING, Action.REJECT),
        CONNECT=(State.OPENING, Action.SEND_SNRM),
        DISCONNECT=(State.CLOSING, Action.SEND_DISC),
        LEAVE=(State.CLOSED, Action.END),
        GIVE_UP=(State.CLOSED, Action.FAIL),
        LINE_CLOSED=(State.CLOSED, Action.FAIL),
    ),
    State.CLOSING: _row(
        State.CLOSING,
        (State.CLOSING, Action.NOTICE),
        UA=(State.CLOSED, Action.RELEASED),
        DM=(State.CLOSED, Action.RELEASED),
        FRMR=(State.CLOSED, Action.RELEASED),
        CONNECT=(State.OPENING, Action.SEND_SNRM),
        LEAVE=(State.CLOSED, Action.END),
        GIVE_UP=(State.CLOSED, Action.FAIL),
        LINE_CLOSED=(State.CLOSED, Action.END),
    ),
    State.REJECTING: _row(
        State.REJECTING,
        (State.REJECTING, Action.REJECT),
        SNRM=(State.OPEN, Action.ACCEPT),
        DISC=(State.CLOSED, Action.RELEASE),
        UNKNOWN=(State.REJECTING, Action.REJECT),
        CONNECT=(State.OPENING, Action.SEND_SNRM),
        DISCONNECT=(State.CLOSING, Action.SEND_DISC),
        LEAVE=(State.CLOSED, Action.END),
        GIVE_UP=(State.CLOSED, Action.FAIL),
        LINE_CLOSED=(State.CLOSED, Action.FAIL),
    ),
}

HEARD_BY: Final[dict[Role, frozenset[FrameKind]]] = {
    Role.CLIENT: frozenset((*_NUMBERED, FrameKind.UI, FrameKind.UA, FrameKind.DM, FrameKind.FRMR)),
    Role.SERVER: frozenset((*_NUMBERED, FrameKind.UI, FrameKind.SNRM, FrameKind.DISC, FrameKind.UNKNOWN)),
}
"""Responses go to the primary, commands to the secondary; a control field nobody knows is the secondary's to reject."""
