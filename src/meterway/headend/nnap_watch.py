"""What pages and API may ask about the watch that concentrators keep: balances by day, alarms, who has seen them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from meterway.base.errors import ConfigError
from meterway.headend.losses import Loss
from meterway.headend.serve import HeadEnd
from meterway.headend.watch import missing_of
from meterway.mapping.alarms import AlarmKind
from meterway.mapping.transformer import Verdict
from meterway.store.alarms import AlarmRow
from meterway.store.balances import BalanceDay

__all__ = ["AlarmView", "WatchViews"]

_DAY_S: Final = 86400
_WORDS: Final = {
    AlarmKind.LOST: "Not heard any more",
    AlarmKind.FLAPPING: "Changes its way again and again",
    AlarmKind.BRANCH: "Gone, and all behind it",
    AlarmKind.STRANGER: "Not on the list, asks to be let in",
    AlarmKind.MEDIUM: "Much is lost on the medium",
    AlarmKind.COMPLETENESS: "Not read for long: days will not be whole",
    AlarmKind.BALANCE: "Loss of the transformer beyond its band",
}
_SEVERITY: Final = {
    AlarmKind.LOST: "warning",
    AlarmKind.FLAPPING: "warning",
    AlarmKind.BRANCH: "critical",
    AlarmKind.STRANGER: "critical",
    AlarmKind.MEDIUM: "warning",
    AlarmKind.COMPLETENESS: "warning",
    AlarmKind.BALANCE: "critical",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmView:
    """One alarm; ``raised_ms``, ``kind`` and ``subject`` name it. Times are empty where they have not come."""

    kind: str
    title: str
    severity: str
    subject: str
    count: int
    text: str
    raised: str
    raised_ms: int
    cleared: str
    acknowledged: str
    acknowledged_by: str


class WatchViews:
    """Questions about one concentrator by its device id; they block on the store."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._store = head_end.store

    def losses(self, device: int, *, days: int = 31) -> list[Loss]:
        """The last days of its transformer, the oldest first."""
        today = int(time.time()) // _DAY_S
        return [_loss(one) for one in self._store.balances.of_device(device, from_day=today - days)]

    def alarms(self, device: int, *, limit: int = 50) -> list[AlarmView]:
        """Its last alarms, those that stand first."""
        return [_alarm(one) for one in self._store.alarms.of_device(device, limit=limit)]

    def standing(self) -> dict[int, int]:
        """How many alarms stand that nobody has acknowledged, by concentrator."""
        found: dict[int, int] = {}
        for one in self._store.alarms.standing():
            if not one.acknowledged_ms:
                found[one.device] = found.get(one.device, 0) + 1
        return found

    def acknowledge(self, device: int, *, kind: str, subject: str, raised_ms: int, by: str) -> None:
        """Note that somebody has seen an alarm; ConfigError if there is none such. Again changes nothing."""
        number = next((one for one in AlarmKind if one.name.lower() == kind), None)
        found = None if number is None else self._store.alarms.find(device, int(number), subject, raised_ms)
        if found is None:
            raise ConfigError(f"there is no such alarm: {kind} of {subject or 'the network'}")
        self._store.alarms.acknowledge(found, by=by, now_ms=int(time.time() * 1000))


def _loss(day: BalanceDay) -> Loss:
    lost = day.given - day.taken
    return Loss(
        date=datetime.fromtimestamp(day.day * _DAY_S, UTC).date().isoformat(),
        given=day.given / 1000,
        lost=lost / 1000,
        share=lost / day.given if day.given > 0 else None,
        low=day.low / 1000,
        high=day.high / 1000,
        complete=day.complete / day.intervals if day.intervals else 0.0,
        verdict=Verdict(day.verdict).name.lower(),
        revision=day.revision,
        judged=_text(day.judged_ms),
        lacking=day.lacking,
        missing=[(one.serial, one.intervals) for one in missing_of(day)],
    )


def _alarm(row: AlarmRow) -> AlarmView:
    kind = AlarmKind(row.kind)
    return AlarmView(
        kind=kind.name.lower(),
        title=_WORDS[kind],
        severity=_SEVERITY[kind],
        subject=row.subject,
        count=row.count,
        text=row.text,
        raised=_text(row.raised_ms),
        raised_ms=row.raised_ms,
        cleared=_text(row.cleared_ms),
        acknowledged=_text(row.acknowledged_ms),
        acknowledged_by=row.acknowledged_by,
    )


def _text(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time_ms else ""
