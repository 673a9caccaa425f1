"""Disconnect control: the switch of a supply and who may move it (class 70)."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

from meterway.stacks.dlms.classes.model import declare, dynamic, method, static
from meterway.stacks.dlms.classes.types import BOOLEAN, INTEGER, enumerated

__all__ = ["CLASSES", "ControlMode", "ControlState", "Mover", "Supply", "next_state"]


class ControlState(IntEnum):
    """Where the switch stands; ready means that somebody at the meter may close it."""

    DISCONNECTED = 0
    CONNECTED = 1
    READY_FOR_RECONNECTION = 2


class ControlMode(IntEnum):
    """Which transitions are allowed; 0 is a switch that is always connected."""

    NONE = 0
    REMOTE_READY_MANUAL = 1
    REMOTE_DIRECT_MANUAL = 2
    REMOTE_READY_NO_MANUAL_OFF = 3
    REMOTE_DIRECT_NO_MANUAL_OFF = 4
    REMOTE_READY_MANUAL_LOCAL_ON = 5
    REMOTE_READY_LOCAL_ON_NO_MANUAL_OFF = 6


class Mover(StrEnum):
    """Who asks: the remote system, a person at the meter, or a function in the meter such as the limiter."""

    REMOTE = "remote"
    MANUAL = "manual"
    LOCAL = "local"


class Supply(StrEnum):
    """What is asked for."""

    OFF = "disconnect"
    ON = "reconnect"


_OUT, _IN, _READY = ControlState

_TRANSITIONS: Final[dict[str, tuple[Mover, Supply, ControlState, ControlState]]] = {
    "a": (Mover.REMOTE, Supply.ON, _OUT, _IN),
    "b": (Mover.REMOTE, Supply.OFF, _IN, _OUT),
    "c": (Mover.REMOTE, Supply.OFF, _READY, _OUT),
    "d": (Mover.REMOTE, Supply.ON, _OUT, _READY),
    "e": (Mover.MANUAL, Supply.ON, _READY, _IN),
    "f": (Mover.MANUAL, Supply.OFF, _IN, _READY),
    "g": (Mover.LOCAL, Supply.OFF, _IN, _READY),
    "h": (Mover.LOCAL, Supply.ON, _READY, _IN),
}
"""The transitions by the letters the norm gives them."""

_ALLOWED: Final[tuple[str, ...]] = ("", "bcfgde", "bcfgae", "bcgde", "bcgae", "bcfgdeh", "bcgdeh")
"""The letters of the transitions each control mode allows, by the mode's number."""

_TABLE: Final = {
    (mode, mover, supply, before): after
    for mode, letters in enumerate(_ALLOWED)
    for mover, supply, before, after in (_TRANSITIONS[letter] for letter in letters)
}


def next_state(mode: int, state: int, mover: Mover, supply: Supply) -> ControlState | None:
    """Where the switch goes when ``mover`` asks for ``supply``; None if the mode does not allow it from here."""
    return _TABLE.get((mode, mover, supply, ControlState(state)))


CLASSES = (
    declare(
        70,
        0,
        "Disconnect control",
        attributes=(
            dynamic("output_state", BOOLEAN),
            dynamic("control_state", enumerated(ControlState)),
            static("control_mode", enumerated(ControlMode)),
        ),
        methods=(method("remote_disconnect", INTEGER), method("remote_reconnect", INTEGER)),
    ),
)
