"""What to read of a device: from its companion profile and from what is already in the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from meterway.base.obis import Obis
from meterway.headend.collect import Plan
from meterway.headend.config import CollectConfig
from meterway.headend.fleet import Entry
from meterway.headend.rules import load_profile_of, missing_span
from meterway.mapping.companion import CompanionProfile
from meterway.mapping.profile import load_profile
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.store.database import Store

__all__ = ["LOAD_PROFILE", "MIRROR_AGE", "Planner"]

LOAD_PROFILE: Final = Obis(1, 0, 99, 1, 0)
MIRROR_AGE: Final = AttributeDescriptor(3, Obis(0, 0, 128, 0, 0), 2)
"""How old mirrored registers are, in seconds."""
_DAY_S: Final = 86400.0
_PUSH_SETUP: Final = 40
_DEFAULT_PERIOD_S: Final = 900


class Planner:
    """Makes the plan of each collection; ``clock`` gives Unix seconds (default: the time of day)."""

    def __init__(self, store: Store, config: CollectConfig, clock: Callable[[], float] | None = None) -> None:
        self._store = store
        self._config = config
        self._clock = clock or time.time

    def profile(self, entry: Entry) -> CompanionProfile:
        """The companion profile of a device; ConfigError if there is none of that name."""
        return load_profile(entry.device.profile or "idis")

    def __call__(self, entry: Entry) -> Plan:
        """What to read now: all registers, and of each profile and log only what is missing."""
        profile, now = self.profile(entry), self._clock()
        identity = tuple(
            (str(item.obis.short), AttributeDescriptor(item.class_id, item.obis, 2))
            for item in profile.collected("identity")
        )
        list_max = entry.device.flags.get("with_list_max", 16)
        return Plan(
            identity=identity,
            registers=(
                *(AttributeDescriptor(item.class_id, item.obis, 2) for item in profile.collected("register")),
                *((MIRROR_AGE,) if entry.is_mirror else ()),
            ),
            profiles=self._profiles(entry, profile, now),
            logs=tuple((item.obis, *self._since(entry, item.obis, now, 0.0)) for item in profile.collected("log")),
            pushes=tuple(item.obis for item in profile.objects.values() if item.class_id == _PUSH_SETUP),
            layout=None if entry.layout is None or entry.layout.is_stale(now) else entry.layout,
            list_max=list_max if isinstance(list_max, int) else 16,
            set_clock_beyond_s=self._config.set_clock_beyond_s if self._sets_clock(entry) else None,
        )

    def _sets_clock(self, entry: Entry) -> bool:
        """The clock of mirrored data is the concentrator's, which sets those of its meters."""
        return self._config.set_clock and not entry.is_mirror

    def _profiles(self, entry: Entry, profile: CompanionProfile, now: float) -> tuple[tuple[Obis, float, float], ...]:
        spans = []
        collected = profile.collected("profile")
        load = load_profile_of((item.obis for item in collected), LOAD_PROFILE)
        for item in collected:
            if item.obis != load:
                spans.append((item.obis, *self._since(entry, item.obis, now, 1.0)))
            elif (span := self._missing(entry, load, now)) is not None:
                spans.append((item.obis, *span))
        return tuple(spans)

    def _since(self, entry: Entry, obis: Obis, now: float, after_s: float) -> tuple[float, float]:
        """From ``after_s`` after the last row that was read to now; a log may have more rows of its last second."""
        mark = self._store.counters.next(entry.device.id, f"read:{obis}")
        return (mark + after_s if mark else self._earliest(now)), now

    def _earliest(self, now: float) -> float:
        return now - self._config.history_days * _DAY_S

    def _missing(self, entry: Entry, load: Obis, now: float) -> tuple[float, float] | None:
        """The slice of the load profile that is to be asked for; None if it is complete up to now.

        Slots before the last row that a device answered with are not asked for again: it did not have them.
        """
        layout = entry.layout.profiles.get(str(load)) if entry.layout is not None else None
        period = (layout.period_s if layout is not None else 0) or _DEFAULT_PERIOD_S
        mark = self._store.counters.next(entry.device.id, f"read:{load}")
        start = int(mark + period if mark else self._earliest(now)) // period * period
        end = int(now) // period * period + period
        if start >= end:
            return None
        gaps = self._store.blocks.gaps(entry.device.id, start, end, interval_s=period)
        return missing_span(gaps, period_s=period, up_to_s=now)
