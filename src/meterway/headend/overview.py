"""How a head end stands: completeness, failures, what went over the interfaces, what happened last."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Final, TypeVar

from meterway.headend.route import is_concentrator
from meterway.headend.rows import EventRow, HappeningRow, time_text
from meterway.headend.serve import HeadEnd
from meterway.headend.traffic import InterfaceTraffic

__all__ = ["DayCompleteness", "Overview", "Standing", "percentile"]

T = TypeVar("T")
_DAY_S: Final = 86400
_EPOCH: Final = date(1970, 1, 1)
_PERIOD_S: Final = 900
_KEEP_S: Final = 10.0
_OURS: Final = {"I": "meter – head end", "G1": "LNAP – head end", "G2": "NNAP – head end"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCompleteness:
    """How full one UTC day is, 0 to 1."""

    day: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The first page: how things stand now."""

    meters: int
    states: dict[str, int]
    completeness: float
    """Share of today's values that should be there by now and are, 0 to 1."""
    days: list[DayCompleteness]
    """The last days with their completeness."""
    values: int
    failures: dict[str, int]
    p50_ms: float
    p95_ms: float
    traffic: list[InterfaceTraffic]
    events: list[EventRow]
    happenings: list[HappeningRow]
    happened: int
    """The number of the last happening."""
    running_s: float
    store_error: str = ""
    """What the store last refused; empty while it takes everything."""


class Standing:
    """Looks at a head end; what is costly to count is kept for ten seconds."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._hes = head_end
        self._store = head_end.store
        self._kept: dict[str, tuple[float, object]] = {}

    def overview(self, events: list[EventRow]) -> Overview:
        """How things stand now, with these events; completeness is at most ten seconds old."""
        progress = self._hes.collector.progress
        durations = sorted(progress.durations_s)
        causes = dict(progress.causes)
        return Overview(
            meters=self._store.devices.count(),
            states=self._store.devices.states(),
            completeness=self._keep("today", self._today),
            days=self._keep("days", lambda: self.completeness(14)),
            values=progress.values,
            failures={cause: count for cause, count in causes.items() if cause != "ok"},
            p50_ms=percentile(durations, 0.50) * 1000,
            p95_ms=percentile(durations, 0.95) * 1000,
            traffic=self.traffic(),
            events=events,
            happened=self._hes.live.total,
            happenings=self._happenings(),
            running_s=time.time() - self._hes.started_s,
            store_error=progress.store_error,
        )

    def _happenings(self) -> list[HappeningRow]:
        return [
            HappeningRow(kind=one.kind, serial=one.serial, text=one.text, time=time_text(int(one.time_s * 1000)))
            for one in list(self._hes.live.recent)[-30:]
        ]

    def traffic(self) -> list[InterfaceTraffic]:
        """What went over each interface that somebody here is an end of."""
        rows = []
        for label, between in _OURS.items():
            entities = self._keep(f"entities:{label}", partial(self._entities, label))
            pushed = self._hes.push if label == "I" else None
            row = InterfaceTraffic(
                label=label,
                between=between,
                entities=entities,
                sessions=self._hes.caller.sessions[label] + (pushed.count if pushed else 0),
                octets=self._hes.caller.octets[label] + (pushed.octets if pushed else 0),
            )
            if label == "I" or entities:
                rows.append(row)
        return [*rows, *(row for source in self._hes.extra_traffic for row in source())]

    def _entities(self, label: str) -> int:
        """How many devices are at the far end of one of our own interfaces."""
        devices = self._store.devices
        if label == "I":
            return devices.alone()
        gateways = devices.gateways()
        behind = {each.id for each in gateways}  # one that lives in a meter is reached by itself all the same
        first = [each for each in gateways if each.parent not in behind]
        return sum(1 for each in first if is_concentrator(each.profile) == (label == "G2"))

    def completeness(self, days: int) -> list[DayCompleteness]:
        """How full each of the last whole days is, over the meters reached by themselves; empty days are left out."""
        today = int(time.time() // _DAY_S)
        devices = self._store.devices.direct()
        rows = []
        for row in self._store.blocks.completeness(today - days, today):
            expected = row.expected / row.devices * devices if row.devices else 0
            share = min(1.0, row.present / expected) if expected else 0.0
            rows.append(DayCompleteness(day=_day_text(row.day), share=round(share, 6)))
        return rows

    def _today(self) -> float:
        """Due are the intervals that ended a collection period ago: younger ones may still be on their way."""
        now = time.time()
        day = int(now // _DAY_S)
        counts = self._store.blocks.completeness(day, day + 1)
        devices = self._store.devices.direct()
        if not devices:
            return 0.0
        ended = int((now % _DAY_S - self._hes.config.collect.every_s) // _PERIOD_S) + 1
        if ended <= 0:
            return 1.0
        if not counts or not counts[0].devices:
            return 0.0
        due = counts[0].expected / counts[0].devices * devices * ended * _PERIOD_S / _DAY_S
        return min(1.0, counts[0].present / due)

    def _keep(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` gave, up to ten seconds ago."""
        now = time.monotonic()
        until, value = self._kept.get(name, (0.0, None))
        if now >= until:
            value = make()
            self._kept[name] = (now + _KEEP_S, value)
        return value  # type: ignore[return-value]  # one name, one make


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of the sorted values lie; 0 for none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def _day_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()
