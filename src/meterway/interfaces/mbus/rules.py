"""What the gateway decides by: plausibility, who may do what, when to poll and listen, how to search. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal
from zlib import crc32

from meterway.base.obis import Obis
from meterway.interfaces.mbus.mirror import Mirrored
from meterway.mapping.mbus_cosem import Measured
from meterway.stacks.dlms.tabled import Right

__all__ = [
    "Limits",
    "Party",
    "Side",
    "Verdict",
    "Window",
    "is_cumulative",
    "is_silent",
    "judge",
    "next_poll",
    "rescaled",
    "search_order",
]

Side = Literal["wan", "home", "local"]
"""The three networks of a gateway, kept apart: nobody of one is served on another."""

_ROLLOVER: Final = (10**6, 10**7, 10**8, 10**9, 10**12, 1 << 32)
_NEAR: Final = 0.99
_CUMULATIVE: Final = {1: {8}, 4: {1}, 5: {1, 2}, 6: {1, 2}, 7: {1, 2, 3}, 8: {1}, 9: {1}}
_D_OF_DUE: Final = 2


class Verdict(Enum):
    """What is odd about a value."""

    FELL = "the register fell"
    ROLLED_OVER = "the register began again at zero"
    JUMPED = "the register rose more than the connection can carry"
    TIME_BACKWARDS = "the meter's time went backwards"
    CLOCK_OFF = "the meter's time is far off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where plausibility ends: the most a register may rise in an hour, by its unit code, in that unit."""

    per_hour: tuple[tuple[int, float], ...] = ((13, 100.0), (30, 200_000.0), (25, 720_000_000.0), (255, 100_000.0))
    clock_off_s: float = 3600.0
    slack_h: float = 1.0

    def of(self, unit: int) -> float | None:
        """The most in an hour; None where nothing is said."""
        return dict(self.per_hour).get(unit)


def is_cumulative(obis: Obis) -> bool:
    """Whether a register only counts up."""
    if obis.a == 1:
        return obis.d in _CUMULATIVE[1]
    return obis.c in _CUMULATIVE.get(obis.a, ()) and not (obis.a in (4, 5, 6, 8, 9) and obis.d == _D_OF_DUE)


def judge(
    last: Mirrored | None, new: Measured, *, received_s: float, device_s: float | None, limits: Limits
) -> tuple[Verdict, ...]:
    """What is odd about a new value, seen beside the last one that was good; empty if nothing is."""
    found = []
    if device_s is not None and abs(device_s - received_s) > limits.clock_off_s:
        found.append(Verdict.CLOCK_OFF)
    if last is None:
        return tuple(found)
    if device_s is not None and last.device_s is not None and device_s < last.device_s:
        found.append(Verdict.TIME_BACKWARDS)
    if is_cumulative(new.obis) and new.unit == last.unit:
        found += _movement(last, new, received_s, limits)
    return tuple(found)


def _movement(last: Mirrored, new: Measured, received_s: float, limits: Limits) -> list[Verdict]:
    before, after = _common(last.raw, last.scaler, new.raw, new.scaler)
    if after < before:
        top = next((top for top in _ROLLOVER if last.raw >= top * _NEAR and last.raw < top), None)
        rolled = top is not None and new.raw < top * (1 - _NEAR) and new.scaler == last.scaler
        return [Verdict.ROLLED_OVER if rolled else Verdict.FELL]
    most = limits.of(new.unit)
    if most is None:
        return []
    hours = max(received_s - last.received_s, 0.0) / 3600 + limits.slack_h
    risen = (after - before) * 10.0 ** min(last.scaler, new.scaler)
    return [Verdict.JUMPED] if risen > most * hours else []


def _common(one: int, one_scaler: int, two: int, two_scaler: int) -> tuple[int, int]:
    """Both numbers on the finer of two scalers."""
    fine: int = min(one_scaler, two_scaler)
    return int(one * 10 ** (one_scaler - fine)), int(two * 10 ** (two_scaler - fine))


def rescaled(raw: int, scaler: int, wanted: int) -> int:
    """A number on another scaler; digits that do not fit are cut off, as a register does."""
    if scaler >= wanted:
        return int(raw * 10 ** (scaler - wanted))
    return int(raw // 10 ** (wanted - scaler))


# -- who may do what ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody who may ask. What is not given here is denied: channels, rights, and the gateway itself.

    ``channels`` None means every channel there is or will be; ``cases`` are the tariff use cases its readings come by
    (empty: all that is measured). ``client`` is the client SAP on its side.
    """

    name: str
    client: int
    side: Side = "wan"
    channels: frozenset[int] | None = frozenset()
    rights: Right = Right.READ
    cases: tuple[str, ...] = ()
    sees_gateway: bool = False

    def may(self, right: Right, channel: int) -> bool:
        """Whether it has a right on a channel; channel 0 is the gateway itself."""
        if right not in self.rights:
            return False
        if channel == 0:
            return self.sees_gateway
        return self.channels is None or channel in self.channels


# -- when -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time in which the gateway listens: ``length_s`` long, every ``every_s``, beginning ``offset_s`` after it."""

    every_s: float
    length_s: float
    offset_s: float = 0.0

    def is_open(self, now: float) -> bool:
        """Whether the radio is to be on."""
        return (now - self.offset_s) % self.every_s < self.length_s

    def next_open(self, now: float) -> float:
        """When it is on next: now, if it is."""
        return now if self.is_open(now) else now + self.every_s - (now - self.offset_s) % self.every_s


def next_poll(now: float, *, every_s: float, name: str) -> float:
    """When a wired meter is to be read next; meters are spread evenly over the period by their names."""
    offset = crc32(name.encode()) / 2**32 * every_s
    return now + every_s - (now - offset) % every_s


def is_silent(heard_s: float, now: float, *, after_s: float) -> bool:
    """Whether a meter that was heard before has not been for too long."""
    return heard_s > 0 and now - heard_s > after_s


def search_order(priority: str, found: Sequence[str] = ()) -> tuple[str, ...]:
    """In which order a bus is searched: ``secondary-first`` or ``primary-first``; the second only if none was found.

    ``found`` are the searches that came upon a meter.
    """
    order = ("primary", "secondary") if priority == "primary-first" else ("secondary", "primary")
    return () if found else order
