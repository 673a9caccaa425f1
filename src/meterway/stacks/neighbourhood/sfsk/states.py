"""Registration in S-FSK as two tables: what a server does, and what the initiator does for each system title."""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["INITIATOR_TABLE", "SERVER_TABLE", "DeviceState", "Input", "InitiatorAction", "ServerAction", "ServerState"]


class Input(Enum):
    """What can happen."""

    DISCOVER = "discover"
    REPORT = "discover report"
    REGISTER = "register"
    RESET = "register with the address NEW"
    PING = "ping request"
    PONG = "ping response"
    CLEAR_ALARM = "clear alarm"
    REPEATER_CALL = "repeater call"
    DATA = "data"
    TIMEOUT = "timeout"
    EXPEL = "expel"


class ServerState(Enum):
    """Where a server stands."""

    UNLOCKED = "NEW, initiator not chosen"
    LOCKED = "NEW, initiator chosen"
    REGISTERED = "registered"


class ServerAction(Enum):
    """What a server does on the way."""

    NOTICE = "drop and notice"
    IGNORE = "drop: of no concern"
    CHOOSE = "note that this initiator was heard; choose one if the time for that is over"
    REPORT = "report in a time slot drawn by lot, with the probability asked for"
    REPORT_IDLE = "the same, if it was not addressed for a while"
    JOIN = "take the address, tell that it joined"
    MOVE = "take another address"
    ANSWER = "answer the ping"
    TAKE = "take an APDU"
    CLEAR = "clear the alarm"
    FORGET = "choose anew"
    LEAVE = "be NEW again, tell that it left"


class DeviceState(Enum):
    """Where a device stands at the initiator."""

    UNKNOWN = "unknown"
    ENROLLING = "enrolling"
    """It is given an address and asked for at that address."""
    MEMBER = "member"


class InitiatorAction(Enum):
    """What the initiator does on the way."""

    NOTICE = "drop and notice"
    IGNORE = "drop: a copy, or of no concern"
    ENROL = "ask whether it may join; give it an address"
    ENROL_AGAIN = "it is NEW again: tell that it left, give it an address"
    JOIN = "tell that it joined"
    ALIVE = "it is there"
    TAKE = "take an APDU"
    DROP = "forget it"
    LOSE = "tell that it left"
    PUT_OUT = "make it NEW, tell that it left"


_ServerRow = dict[Input, tuple[ServerState, ServerAction]]
_InitiatorRow = dict[Input, tuple[DeviceState, InitiatorAction]]


def _server(state: ServerState, **entries: tuple[ServerState, ServerAction]) -> _ServerRow:
    row: _ServerRow = dict.fromkeys(Input, (state, ServerAction.NOTICE))
    row[Input.REPEATER_CALL] = (state, ServerAction.IGNORE)
    row[Input.CLEAR_ALARM] = (state, ServerAction.CLEAR)
    row.update({Input[name]: entry for name, entry in entries.items()})
    return row


def _initiator(state: DeviceState, **entries: tuple[DeviceState, InitiatorAction]) -> _InitiatorRow:
    row: _InitiatorRow = dict.fromkeys(Input, (state, InitiatorAction.NOTICE))
    row.update({Input[name]: entry for name, entry in entries.items()})
    return row


_S, _SA = ServerState, ServerAction
SERVER_TABLE: Final[dict[ServerState, _ServerRow]] = {
    _S.UNLOCKED: _server(
        _S.UNLOCKED,
        DISCOVER=(_S.UNLOCKED, _SA.CHOOSE),
        TIMEOUT=(_S.UNLOCKED, _SA.IGNORE),
    ),
    _S.LOCKED: _server(
        _S.LOCKED,
        DISCOVER=(_S.LOCKED, _SA.REPORT),
        REGISTER=(_S.REGISTERED, _SA.JOIN),
        RESET=(_S.LOCKED, _SA.IGNORE),
        TIMEOUT=(_S.UNLOCKED, _SA.FORGET),
    ),
    _S.REGISTERED: _server(
        _S.REGISTERED,
        DISCOVER=(_S.REGISTERED, _SA.REPORT_IDLE),
        REGISTER=(_S.REGISTERED, _SA.MOVE),
        RESET=(_S.UNLOCKED, _SA.LEAVE),
        PING=(_S.REGISTERED, _SA.ANSWER),
        DATA=(_S.REGISTERED, _SA.TAKE),
        TIMEOUT=(_S.UNLOCKED, _SA.LEAVE),
    ),
}

_D, _IA = DeviceState, InitiatorAction
INITIATOR_TABLE: Final[dict[DeviceState, _InitiatorRow]] = {
    _D.UNKNOWN: _initiator(
        _D.UNKNOWN,
        REPORT=(_D.ENROLLING, _IA.ENROL),
        PONG=(_D.UNKNOWN, _IA.IGNORE),
    ),
    _D.ENROLLING: _initiator(
        _D.ENROLLING,
        REPORT=(_D.ENROLLING, _IA.IGNORE),
        PONG=(_D.MEMBER, _IA.JOIN),
        TIMEOUT=(_D.UNKNOWN, _IA.DROP),
        EXPEL=(_D.UNKNOWN, _IA.DROP),
    ),
    _D.MEMBER: _initiator(
        _D.MEMBER,
        REPORT=(_D.ENROLLING, _IA.ENROL_AGAIN),
        PONG=(_D.MEMBER, _IA.ALIVE),
        DATA=(_D.MEMBER, _IA.TAKE),
        TIMEOUT=(_D.UNKNOWN, _IA.LOSE),
        EXPEL=(_D.UNKNOWN, _IA.PUT_OUT),
    ),
}
