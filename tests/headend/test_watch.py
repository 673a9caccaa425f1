"""Balances and alarms of concentrators as rows, from reports and from what was read."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from headend.reports import known, report
from meterway.headend.watch import alarm_rows, balance_days, missing_of, reported_alarms, reported_balances
from meterway.mapping.alarms import Alarm as Told
from meterway.mapping.alarms import AlarmKind
from meterway.mapping.transformer import DayBalance, Lack, Verdict
from meterway.model.report import Alarm, Balance, Missing
from meterway.store.database import Store

pytestmark = pytest.mark.covers("IF-G2", "E-HES-5")
DAY = int(time.time()) // 86400 - 1


def balance(**changes: object) -> Balance:
    fields = {
        "day": DAY * 86400, "revision": 1, "judged": int(time.time()) - 60, "period_s": 900, "intervals": 96,
        "complete": 90, "given": 1000, "taken": 900, "low": -20, "high": 60, "verdict": "beyond", "lacking": 1,
        "missing": [Missing(serial="M1", intervals=6)],
    }  # fmt: skip
    return Balance(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_report_brings_days_and_alarms_and_the_same_again_changes_nothing(store: Store) -> None:
    bulk, nnap = known(store), store.devices.by_serial("N1").id
    alarm = Alarm(kind="branch", subject="M1", raised=1000, count=3, text="behind it 3")
    bulk.store(report("one", balances=[balance()], alarms=[alarm]), "N1", octets=1)
    bulk.store(report("two", balances=[balance()], alarms=[alarm]), "N1", octets=1)
    (day,) = store.balances.of_device(nnap)
    assert (day.day, day.given, day.taken, day.verdict, missing_of(day)) == (DAY, 1000, 900, 2, [Lack("M1", 6)])
    assert [(one.kind, one.count, one.cleared_ms) for one in store.alarms.standing(nnap)] == [(3, 3, 0)]
    ended = Alarm(kind="branch", subject="M1", raised=1000, cleared=2000)
    bulk.store(report("three", balances=[balance(revision=2, complete=96)], alarms=[ended]), "N1", octets=1)
    assert store.alarms.standing() == []
    assert store.balances.of_device(nnap)[0].complete == 96


def test_what_was_read_and_what_was_reported_are_the_same_rows() -> None:
    day = DayBalance(
        day=DAY * 86400, judged=1000, period=900, intervals=96, complete=90, given=1000, taken=900, low=-20, high=60,
        verdict=Verdict.BEYOND, lacking=1, missing=(Lack("M1", 6),),
    )  # fmt: skip
    told = report("one", balances=[balance(judged=1000)])
    assert reported_balances(told) == [day]
    assert balance_days(7, [day]) == balance_days(7, reported_balances(told))
    one = Told(kind=AlarmKind.LOST, subject="M1", raised=5, text="x")
    assert reported_alarms(report("two", alarms=[Alarm(kind="lost", subject="M1", raised=5, text="x")])) == [one]
    assert alarm_rows(7, [replace(one, cleared=6)])[0].cleared_ms == 6000


def test_what_no_day_can_be_is_left_out_and_no_more_is_complete_than_there_is() -> None:
    told = report("one", balances=[balance(day=5), balance(complete=200)])
    assert [(one.day, one.complete) for one in reported_balances(told)] == [(DAY * 86400, 96)]
