"""Rules of collection: what is worth trying again, which slice is missing, what to make of a clock. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from meterway.base.obis import Obis

__all__ = ["CAUSES", "ClockVerdict", "is_worth_retrying", "judge_clock", "load_profile_of", "missing_span"]

CAUSES: Final[dict[str, str]] = {
    "link": "the line failed or was closed",
    "timeout": "the device did not answer in time",
    "authentication": "the device or we could not prove the keys",
    "tag": "wrong key or altered octets",
    "key": "a key is missing or does not fit",
    "key-refused": "the device could not decipher our request",
    "counter": "the device replayed an invocation counter",
    "counter-refused": "the device refuses our invocation counter",
    "policy": "the device protected less than agreed",
    "title": "the device is not the one registered",
    "rejected": "the device rejected the association",
    "protocol": "the device broke the protocol",
    "decode": "the device sent octets that form no message",
    "clock": "the device's clock is too far off",
    "data": "the device sent values that make no sense",
    "config": "the registry or the companion profile says something that cannot be used",
    "store": "the readings could not be stored",
    "internal": "this program has a fault; the log says where",
}
"""Why a session failed: the words that are counted."""

_MBUS_PROFILE: Final = (0, 24, 3, 0)
_FINAL: Final = frozenset({"authentication", "key", "key-refused", "title", "config", "internal"})


def is_worth_retrying(cause: str) -> bool:
    """Whether the same session may succeed later without anybody changing a key or a register entry."""
    return cause not in _FINAL


class ClockVerdict(Enum):
    """What a device's clock is good for."""

    GOOD = "good"
    SHIFTED = "shifted"
    INVALID = "invalid"


def judge_clock(
    offset_s: float | None, *, tolerated_s: float = 10.0, invalid_beyond_s: float = 86400.0
) -> ClockVerdict:
    """Good within the tolerance; beyond ``invalid_beyond_s``, or without a time, its readings have no time to trust."""
    if offset_s is None or abs(offset_s) > invalid_beyond_s:
        return ClockVerdict.INVALID
    return ClockVerdict.GOOD if abs(offset_s) <= tolerated_s else ClockVerdict.SHIFTED


def load_profile_of(profiles: Iterable[Obis], usual: Obis) -> Obis:
    """Which of a device's profiles is its load profile: the usual one, or that of a meter behind a gateway."""
    listed = tuple(profiles)
    if usual in listed:
        return usual
    return next((obis for obis in listed if (obis.a, obis.c, obis.d, obis.e) == _MBUS_PROFILE), usual)


def missing_span(gaps: list[tuple[int, int]], *, period_s: int, up_to_s: float) -> tuple[float, float] | None:
    """The one slice to ask for: from the first missing slot to the last that has ended; None if nothing is missing.

    ``gaps`` are (from, to) in Unix seconds, ``to`` exclusive.
    """
    last_ended = up_to_s // period_s * period_s
    open_gaps = [(start, min(end, last_ended + period_s)) for start, end in gaps if start <= last_ended]
    if not open_gaps:
        return None
    return float(open_gaps[0][0]), float(open_gaps[-1][1] - period_s)
