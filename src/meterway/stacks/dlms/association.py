"""The life of an association, as a table (IEC 62056-5-3).

Rule 1: every state and every transition of an association lives in this file.
Rule 2: nothing here knows which side we are: client and server step through the same table with the same words.

::

    IDLE ──aarq──▶ OPENING ──accepted──▶ ASSOCIATED ──rlrq──▶ RELEASING ──rlre──▶ IDLE
                      │ └──challenge──▶ PENDING ──proved──▶ ASSOCIATED
                      └──rejected──▶ IDLE    └──failed──▶ IDLE
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from meterway.base.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["TRANSITIONS", "State", "Step", "step"]


class State(Enum):
    """Where an association stands."""

    IDLE = auto()
    OPENING = auto()
    PENDING = auto()
    ASSOCIATED = auto()
    RELEASING = auto()


class Step(Enum):
    """What moves an association on."""

    AARQ = auto()
    ACCEPTED = auto()
    CHALLENGE = auto()
    REJECTED = auto()
    PROVED = auto()
    FAILED = auto()
    SERVICE = auto()
    RLRQ = auto()
    RLRE = auto()
    LOST = auto()


TRANSITIONS: Final[dict[tuple[State, Step], State]] = {
    (State.IDLE, Step.AARQ): State.OPENING,
    (State.OPENING, Step.ACCEPTED): State.ASSOCIATED,
    (State.OPENING, Step.CHALLENGE): State.PENDING,
    (State.OPENING, Step.REJECTED): State.IDLE,
    (State.PENDING, Step.PROVED): State.ASSOCIATED,
    (State.PENDING, Step.FAILED): State.IDLE,
    (State.PENDING, Step.RLRQ): State.RELEASING,
    (State.PENDING, Step.AARQ): State.OPENING,
    (State.ASSOCIATED, Step.SERVICE): State.ASSOCIATED,
    (State.ASSOCIATED, Step.RLRQ): State.RELEASING,
    (State.ASSOCIATED, Step.AARQ): State.OPENING,
    (State.RELEASING, Step.RLRE): State.IDLE,
    **{(state, Step.LOST): State.IDLE for state in State},
}


def step(state: State, move: Step, *, ours: bool) -> State:
    """The next state; Local- or RemoteProtocolError, by whose move it was, if the table has none."""
    after = TRANSITIONS.get((state, move))
    if after is not None:
        return after
    error = LocalProtocolError if ours else RemoteProtocolError
    raise error(f"{move.name.lower()} has no place in an association that is {state.name.lower()}")
