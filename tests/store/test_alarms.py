"""Alarms of neighbourhoods."""

from dataclasses import replace

import pytest

from meterway.store.alarms import AlarmRow
from meterway.store.database import Store

pytestmark = pytest.mark.covers("E-HES-5", "IF-G2")


def alarm(device: int, subject: str = "M1", raised_ms: int = 5000, **changes: object) -> AlarmRow:
    row = AlarmRow(device=device, kind=1, subject=subject, raised_ms=raised_ms, text="not heard")
    return replace(row, **changes)  # type: ignore[arg-type]


def test_an_alarm_is_kept_once_and_ends_once_in_whatever_order_it_is_told(store: Store, devices: list[int]) -> None:
    stands, ended = alarm(devices[0]), alarm(devices[0], cleared_ms=9000, text="heard again")
    store.alarms.put_many([stands])
    store.alarms.put_many([replace(stands, count=3)])
    assert [(one.count, one.cleared_ms) for one in store.alarms.standing()] == [(3, 0)]
    store.alarms.put_many([ended])
    store.alarms.put_many([stands])  # an older report that comes late
    assert store.alarms.standing() == []
    assert store.alarms.of_device(devices[0]) == [ended]


def test_who_has_seen_it_is_kept_whatever_is_told_afterwards(store: Store, devices: list[int]) -> None:
    one = alarm(devices[0])
    store.alarms.put_many([one])
    assert store.alarms.acknowledge(one, by="mia", now_ms=6000)
    assert not store.alarms.acknowledge(one, by="tom", now_ms=7000)
    assert not store.alarms.acknowledge(alarm(devices[1]), by="mia", now_ms=6000)
    store.alarms.put_many([replace(one, cleared_ms=9000)])
    (kept,) = store.alarms.of_device(devices[0])
    assert (kept.acknowledged_by, kept.acknowledged_ms, kept.cleared_ms) == ("mia", 6000, 9000)


def test_those_that_stand_come_first(store: Store, devices: list[int]) -> None:
    told = [alarm(devices[0], "a", 1000), alarm(devices[0], "b", 2000, cleared_ms=2500), alarm(devices[0], "c", 3000)]
    store.alarms.put_many([*told, alarm(devices[1], "d", 4000)])
    assert [one.subject for one in store.alarms.of_device(devices[0])] == ["c", "a", "b"]
    assert [one.subject for one in store.alarms.standing()] == ["d", "c", "a"]
    assert [one.subject for one in store.alarms.standing(devices[0])] == ["c", "a"]
