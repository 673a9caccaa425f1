"""Who has the say over a relay, and until when. Pure: time comes in, nothing is drawn here.

An emergency goes before the limit, the limit before the consumer's override, that before an order; a relay that nobody
has anything to say of is closed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

__all__ = ["Cause", "Hold", "Relay"]

_FAR: Final = float("inf")


class Cause(IntEnum):
    """Why a relay stands as it does; the higher one goes before."""

    NOTHING = 0
    ORDER = 1
    OVERRIDE = 2
    LIMIT = 3
    EMERGENCY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Somebody's word on a relay, from a moment up to another, Unix seconds. ``ident`` says whose order it is."""

    on: bool
    from_s: float
    until_s: float
    ident: int = 0

    def holds(self, now: float) -> bool:
        """Whether it is in force."""
        return self.from_s <= now < self.until_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """What was said of one relay. Of several orders in force the one that came last counts."""

    orders: tuple[Hold, ...] = ()
    override: Hold | None = None
    emergencies: tuple[Hold, ...] = ()
    is_limited: bool = False

    def decide(self, now: float) -> tuple[bool, Cause]:
        """Where the relay is to stand, and why."""
        if any(one.holds(now) for one in self.emergencies):
            return False, Cause.EMERGENCY
        if self.is_limited:
            return False, Cause.LIMIT
        if self.override is not None and self.override.holds(now):
            return self.override.on, Cause.OVERRIDE
        for one in reversed(self.orders):
            if one.holds(now):
                return one.on, Cause.ORDER
        return True, Cause.NOTHING

    def next_change(self, now: float) -> float | None:
        """When something begins or ends next, or None."""
        every = (*self.orders, *self.emergencies, *((self.override,) if self.override else ()))
        return min((at for one in every for at in (one.from_s, one.until_s) if now < at < _FAR), default=None)

    def ordered(self, hold: Hold) -> Relay:
        """With one more order; the same ident again replaces the first."""
        rest = tuple(one for one in self.orders if one.ident != hold.ident)
        return replace(self, orders=(*rest, hold))

    def cut(self, hold: Hold) -> Relay:
        """With one more emergency."""
        rest = tuple(one for one in self.emergencies if one.ident != hold.ident)
        return replace(self, emergencies=(*rest, hold))

    def released(self, at_s: float) -> Relay:
        """Without any order from a moment on."""
        return replace(self, orders=tuple(_until(one, at_s) for one in self.orders))

    def rescued(self, at_s: float, ident: int | None = None) -> Relay:
        """Without emergency (of an ident, or any) from a moment on."""
        ends = (_until(one, at_s) if ident in (None, one.ident) else one for one in self.emergencies)
        return replace(self, emergencies=tuple(ends))

    def tidied(self, now: float) -> Relay:
        """Without what is over."""
        gone = self.override is not None and self.override.until_s <= now
        return replace(
            self,
            orders=tuple(one for one in self.orders if one.until_s > now),
            emergencies=tuple(one for one in self.emergencies if one.until_s > now),
            override=None if gone else self.override,
        )


def _until(hold: Hold, at_s: float) -> Hold:
    return replace(hold, until_s=min(hold.until_s, at_s))
