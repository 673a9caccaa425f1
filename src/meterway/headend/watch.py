"""What concentrators tell of their networks besides values: balances of the transformer and alarms, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import msgspec

from meterway.mapping.alarms import ALARMS, Alarm, AlarmKind, decode_alarms
from meterway.mapping.transformer import DayBalance, Lack, Verdict
from meterway.model.report import Report
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.store.alarms import AlarmRow
from meterway.store.balances import BalanceDay

__all__ = ["alarm_rows", "balance_days", "missing_of", "pushed_alarms", "reported_alarms", "reported_balances"]

_DAY_S: Final = 86400
_MS: Final = 1000


def balance_days(device: int, days: Iterable[DayBalance]) -> list[BalanceDay]:
    """Days as they are stored for a concentrator."""
    return [
        BalanceDay(
            device=device,
            day=one.day // _DAY_S,
            revision=one.revision,
            judged_ms=one.judged * _MS,
            period_s=one.period,
            intervals=one.intervals,
            complete=one.complete,
            given=one.given,
            taken=one.taken,
            low=one.low,
            high=one.high,
            verdict=int(one.verdict),
            lacking=one.lacking,
            missing=msgspec.json.encode([list(lack) for lack in one.missing]).decode(),
        )
        for one in days
    ]


def missing_of(day: BalanceDay) -> list[Lack]:
    """The meters that lack intervals of a stored day."""
    return [Lack(*one) for one in msgspec.json.decode(day.missing, type=list[tuple[str, int]])]


def reported_balances(report: Report) -> list[DayBalance]:
    """The days of a bulk report; what is not the begin of a day is left out."""
    return [
        DayBalance(
            day=one.day,
            revision=one.revision,
            judged=one.judged,
            period=one.period_s,
            intervals=one.intervals,
            complete=min(one.complete, one.intervals),
            given=one.given,
            taken=one.taken,
            low=one.low,
            high=one.high,
            verdict=Verdict[one.verdict.upper()],
            lacking=one.lacking,
            missing=tuple(Lack(each.serial, each.intervals) for each in one.missing),
        )
        for one in report.balances
        if one.day % _DAY_S == 0
    ]


def pushed_alarms(body: Data) -> tuple[Alarm, ...]:
    """The alarms in the body of a concentrator's push: what follows their code; none if there are none."""
    items = body.value if isinstance(body.value, tuple) else ()
    for code, value in pairwise(items):
        if isinstance(code, Data) and isinstance(value, Data) and code.value == ALARMS.encode():
            return decode_alarms(axdr.encode(value))
    return ()


def alarm_rows(device: int, alarms: Iterable[Alarm]) -> list[AlarmRow]:
    """Alarms as they are stored for a concentrator."""
    return [
        AlarmRow(
            device=device,
            kind=int(one.kind),
            subject=one.subject,
            raised_ms=one.raised * _MS,
            cleared_ms=one.cleared * _MS,
            count=one.count,
            text=one.text,
        )
        for one in alarms
    ]


def reported_alarms(report: Report) -> list[Alarm]:
    """The alarms of a bulk report."""
    return [
        Alarm(
            kind=AlarmKind[one.kind.upper()],
            subject=one.subject,
            raised=one.raised,
            cleared=one.cleared,
            count=one.count,
            text=one.text,
        )
        for one in report.alarms
    ]
