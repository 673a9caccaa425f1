"""Registration in PRIME as two tables: what a node does, and what the base node does for each device.

A row names only what is not simply noticed. ``TIMEOUT`` is: no answer came, and the repetitions are used up; ``LOST``:
a connection whose packets are not acknowledged any more.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["BASE_TABLE", "NODE_TABLE", "BaseAction", "DeviceState", "Input", "NodeAction", "NodeState"]


class Input(Enum):
    """What can happen, the names being those of the norm's packets where it is one."""

    BEACON = "beacon"
    REG_REQ = "REG_REQ"
    REG_RSP = "REG_RSP"
    REG_ACK = "REG_ACK"
    REG_REJ = "REG_REJ"
    REG_UNR = "REG_UNR"
    CON_REQ = "CON_REQ"
    CON_CLS = "CON_CLS"
    ALV = "ALV"
    DATA = "data"
    TIMEOUT = "timeout"
    LOST = "lost"
    EXPEL = "expel"


class NodeState(Enum):
    """Where a service node stands."""

    SEARCHING = "searching"
    """No beacon heard that it may follow."""
    REGISTERING = "registering"
    CONNECTING = "connecting"
    """Registered; the 4-32 connection is asked for."""
    CONNECTED = "connected"


class NodeAction(Enum):
    """What a service node does on the way."""

    NOTICE = "drop and notice"
    IGNORE = "drop: a copy, or of no concern"
    ASK = "ask for registration"
    OPEN = "acknowledge the registration, ask for the connection"
    CONFIRM = "acknowledge the registration again"
    JOIN = "tell that it joined"
    ANSWER = "answer the keep-alive"
    TAKE = "take a packet of data"
    REFUSED = "leave the network alone for a while"
    SEARCH = "begin again"
    OUT = "acknowledge that it was unregistered, begin again"
    GONE = "unregister, begin again"


class DeviceState(Enum):
    """Where a device stands at the base node."""

    UNKNOWN = "unknown"
    OFFERED = "offered"
    """It was given an LNID and has not acknowledged it."""
    REGISTERED = "registered"
    """It has not opened its connection."""
    CONNECTED = "connected"
    LEAVING = "leaving"
    """It was unregistered and has not acknowledged it."""


class BaseAction(Enum):
    """What the base node does on the way."""

    NOTICE = "drop and notice"
    IGNORE = "drop: a copy, or of no concern"
    OFFER = "give an LNID"
    OFFER_AGAIN = "tell the LNID again"
    REGISTER = "the LNID is taken: drop what the device had before"
    ADMIT = "ask whether it may join; accept its connection, or reject it and put it out"
    ACCEPT_AGAIN = "accept the connection again"
    ALIVE = "it is there"
    TAKE = "take a packet of data"
    REMOVE = "acknowledge that it unregistered, tell that it left"
    FORGET = "forget it"
    PUT_OUT = "unregister it, tell that it left"
    TELL_UNKNOWN = "unregister an LNID that nobody has"


_NodeRow = dict[Input, tuple[NodeState, NodeAction]]
_BaseRow = dict[Input, tuple[DeviceState, BaseAction]]


def _node(state: NodeState, **entries: tuple[NodeState, NodeAction]) -> _NodeRow:
    row: _NodeRow = dict.fromkeys(Input, (state, NodeAction.NOTICE))
    row[Input.BEACON] = (state, NodeAction.IGNORE)
    row.update({Input[name]: entry for name, entry in entries.items()})
    return row


def _base(state: DeviceState, **entries: tuple[DeviceState, BaseAction]) -> _BaseRow:
    row: _BaseRow = dict.fromkeys(Input, (state, BaseAction.NOTICE))
    row[Input.BEACON] = (state, BaseAction.IGNORE)
    row.update({Input[name]: entry for name, entry in entries.items()})
    return row


_N, _NA = NodeState, NodeAction
NODE_TABLE: Final[dict[NodeState, _NodeRow]] = {
    _N.SEARCHING: _node(
        _N.SEARCHING,
        BEACON=(_N.REGISTERING, _NA.ASK),
        TIMEOUT=(_N.SEARCHING, _NA.SEARCH),
    ),
    _N.REGISTERING: _node(
        _N.REGISTERING,
        REG_RSP=(_N.CONNECTING, _NA.OPEN),
        REG_REJ=(_N.SEARCHING, _NA.REFUSED),
        TIMEOUT=(_N.SEARCHING, _NA.SEARCH),
    ),
    _N.CONNECTING: _node(
        _N.CONNECTING,
        REG_RSP=(_N.CONNECTING, _NA.CONFIRM),
        REG_UNR=(_N.SEARCHING, _NA.OUT),
        CON_REQ=(_N.CONNECTED, _NA.JOIN),
        CON_CLS=(_N.SEARCHING, _NA.REFUSED),
        ALV=(_N.CONNECTING, _NA.ANSWER),
        DATA=(_N.CONNECTING, _NA.IGNORE),
        TIMEOUT=(_N.SEARCHING, _NA.GONE),
    ),
    _N.CONNECTED: _node(
        _N.CONNECTED,
        REG_RSP=(_N.CONNECTED, _NA.CONFIRM),
        REG_UNR=(_N.SEARCHING, _NA.OUT),
        CON_REQ=(_N.CONNECTED, _NA.IGNORE),
        CON_CLS=(_N.SEARCHING, _NA.GONE),
        ALV=(_N.CONNECTED, _NA.ANSWER),
        DATA=(_N.CONNECTED, _NA.TAKE),
        TIMEOUT=(_N.SEARCHING, _NA.SEARCH),
        LOST=(_N.SEARCHING, _NA.GONE),
    ),
}

_D, _DA = DeviceState, BaseAction
BASE_TABLE: Final[dict[DeviceState, _BaseRow]] = {
    _D.UNKNOWN: _base(
        _D.UNKNOWN,
        REG_REQ=(_D.OFFERED, _DA.OFFER),
        REG_ACK=(_D.UNKNOWN, _DA.IGNORE),
        REG_UNR=(_D.UNKNOWN, _DA.IGNORE),
        CON_REQ=(_D.UNKNOWN, _DA.TELL_UNKNOWN),
        CON_CLS=(_D.UNKNOWN, _DA.IGNORE),
        ALV=(_D.UNKNOWN, _DA.TELL_UNKNOWN),
        DATA=(_D.UNKNOWN, _DA.TELL_UNKNOWN),
    ),
    _D.OFFERED: _base(
        _D.OFFERED,
        REG_REQ=(_D.OFFERED, _DA.OFFER_AGAIN),
        REG_ACK=(_D.REGISTERED, _DA.REGISTER),
        REG_UNR=(_D.UNKNOWN, _DA.FORGET),
        CON_REQ=(_D.CONNECTED, _DA.ADMIT),
        TIMEOUT=(_D.UNKNOWN, _DA.FORGET),
        EXPEL=(_D.UNKNOWN, _DA.FORGET),
    ),
    _D.REGISTERED: _base(
        _D.REGISTERED,
        REG_ACK=(_D.REGISTERED, _DA.IGNORE),
        REG_UNR=(_D.UNKNOWN, _DA.REMOVE),
        CON_REQ=(_D.CONNECTED, _DA.ADMIT),
        CON_CLS=(_D.REGISTERED, _DA.IGNORE),
        ALV=(_D.REGISTERED, _DA.ALIVE),
        TIMEOUT=(_D.LEAVING, _DA.PUT_OUT),
        EXPEL=(_D.LEAVING, _DA.PUT_OUT),
    ),
    _D.CONNECTED: _base(
        _D.CONNECTED,
        REG_ACK=(_D.CONNECTED, _DA.IGNORE),
        REG_UNR=(_D.UNKNOWN, _DA.REMOVE),
        CON_REQ=(_D.CONNECTED, _DA.ACCEPT_AGAIN),
        CON_CLS=(_D.LEAVING, _DA.PUT_OUT),
        ALV=(_D.CONNECTED, _DA.ALIVE),
        DATA=(_D.CONNECTED, _DA.TAKE),
        TIMEOUT=(_D.LEAVING, _DA.PUT_OUT),
        LOST=(_D.LEAVING, _DA.PUT_OUT),
        EXPEL=(_D.LEAVING, _DA.PUT_OUT),
    ),
    _D.LEAVING: _base(
        _D.LEAVING,
        REG_ACK=(_D.LEAVING, _DA.IGNORE),
        REG_UNR=(_D.UNKNOWN, _DA.FORGET),
        CON_REQ=(_D.LEAVING, _DA.IGNORE),
        CON_CLS=(_D.LEAVING, _DA.IGNORE),
        ALV=(_D.LEAVING, _DA.IGNORE),
        DATA=(_D.LEAVING, _DA.IGNORE),
        TIMEOUT=(_D.UNKNOWN, _DA.FORGET),
        EXPEL=(_D.LEAVING, _DA.IGNORE),
    ),
}
