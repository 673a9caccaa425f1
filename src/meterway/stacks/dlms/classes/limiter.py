"""Limiter: actions when a value stays over its threshold, with an emergency threshold for a time (class 71)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.elements import ACTION_ITEM, VALUE_DEFINITION, ActionItem
from meterway.stacks.dlms.classes.model import declare, dynamic, static
from meterway.stacks.dlms.classes.types import (
    ANY,
    BOOLEAN,
    DATE_TIME,
    DOUBLE_LONG_UNSIGNED,
    LONG_UNSIGNED,
    array,
    structure,
)

__all__ = ["CLASSES", "EmergencyProfile", "LimiterActions", "LimiterSettings", "LimiterState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyProfile:
    """When the emergency threshold holds: from a time on, for some seconds."""

    profile_id: int
    activation_time: CosemDateTime | None
    duration: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterActions:
    """The scripts for a value that is over, and one that is under the threshold again."""

    over: ActionItem
    under: ActionItem


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterSettings:
    """What a limiter object is set to. Durations are seconds; ``groups`` are the emergency profiles it obeys."""

    threshold_normal: float
    threshold_emergency: float
    min_over_s: int
    min_under_s: int
    actions: LimiterActions
    emergency: EmergencyProfile | None = None
    groups: tuple[int, ...] = ()

    def emergency_active(self, now: dt.datetime, deviation_min: int = 0) -> bool:
        """Whether the emergency profile holds at an aware moment; its id must be one of the groups."""
        profile = self.emergency
        if profile is None or profile.profile_id not in self.groups or profile.activation_time is None:
            return False
        start = profile.activation_time.utc(deviation_min)
        return start is not None and start <= now < start + dt.timedelta(seconds=profile.duration)

    def threshold(self, now: dt.datetime, deviation_min: int = 0) -> float:
        """The active threshold at an aware moment."""
        return self.threshold_emergency if self.emergency_active(now, deviation_min) else self.threshold_normal


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterState:
    """What a limiter remembers: whether it acted on *over* last, and since when the value says otherwise."""

    over: bool = False
    crossed_at: dt.datetime | None = None

    def step(
        self, settings: LimiterSettings, value: float, *, now: dt.datetime, deviation_min: int = 0
    ) -> tuple[LimiterState, ActionItem | None]:
        """The state after a measured value and the script that is due now, if any."""
        is_over = value > settings.threshold(now, deviation_min)
        if is_over == self.over:
            return replace(self, crossed_at=None), None
        crossed_at = self.crossed_at or now
        wait = settings.min_over_s if is_over else settings.min_under_s
        if now - crossed_at < dt.timedelta(seconds=wait):
            return replace(self, crossed_at=crossed_at), None
        action = settings.actions.over if is_over else settings.actions.under
        return LimiterState(over=is_over), action if action.selector else None


CLASSES = (
    declare(
        71,
        0,
        "Limiter",
        attributes=(
            static("monitored_value", VALUE_DEFINITION),
            dynamic("threshold_active", ANY),
            static("threshold_normal", ANY),
            static("threshold_emergency", ANY),
            static("min_over_threshold_duration", DOUBLE_LONG_UNSIGNED),
            static("min_under_threshold_duration", DOUBLE_LONG_UNSIGNED),
            static("emergency_profile", structure(EmergencyProfile, LONG_UNSIGNED, DATE_TIME, DOUBLE_LONG_UNSIGNED)),
            static("emergency_profile_group_id_list", array(LONG_UNSIGNED)),
            dynamic("emergency_profile_active", BOOLEAN),
            static("actions", structure(LimiterActions, ACTION_ITEM, ACTION_ITEM)),
        ),
    ),
)
