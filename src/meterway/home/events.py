"""What a load controller logs."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

__all__ = ["Code", "Event"]


class Code(IntEnum):
    """Numbers of the event log; the companion profile ``home`` has them in words."""

    STARTED = 1
    CLOCK_SET = 2
    SWITCHED_OFF = 10
    SWITCHED_ON = 11
    ORDER_TAKEN = 20
    ORDER_REFUSED = 21
    ORDER_ENDED = 22
    EMERGENCY = 30
    EMERGENCY_ENDED = 31
    LIMIT_KEPT = 32
    LIMIT_OVER = 33
    OVERRIDDEN = 40
    OVERRIDE_REFUSED = 41
    SIGNAL = 50
    ACKNOWLEDGED = 51
    ENROLLED = 60
    DEREGISTERED = 61
    CONSENT_GIVEN = 62
    CONSENT_REVOKED = 63
    ACCESS_FAILED = 70
    KEYS_CHANGED = 71


class Event(NamedTuple):
    """One entry of the log; ``relay`` 0 is the device."""

    time_s: float
    code: Code
    relay: int = 0
    detail: str = ""
