"""Balances of transformers."""

from dataclasses import replace

import pytest

from meterway.store.balances import BalanceDay
from meterway.store.database import Store

pytestmark = pytest.mark.covers("E-HES", "IF-G2")


def day(device: int, number: int = 20_000, revision: int = 1, judged_ms: int = 1000) -> BalanceDay:
    return BalanceDay(
        device=device, day=number, revision=revision, judged_ms=judged_ms, period_s=900, intervals=96, complete=90,
        given=1 << 40, taken=-7, low=-20, high=60, verdict=2, lacking=1, missing='[["M1", 6]]',
    )  # fmt: skip


def test_of_a_day_the_newest_judgement_stays_in_whatever_order_they_come(store: Store, devices: list[int]) -> None:
    first, second = day(devices[0]), replace(day(devices[0]), revision=2, judged_ms=2000, complete=96)
    assert store.balances.put_many([second]) == 1
    store.balances.put_many([first])
    store.balances.put_many([second])
    assert store.balances.of_device(devices[0]) == [second]


def test_a_concentrator_that_lost_its_file_begins_anew(store: Store, devices: list[int]) -> None:
    store.balances.put_many([replace(day(devices[0]), revision=5)])
    anew = replace(day(devices[0]), revision=1, judged_ms=9000)
    store.balances.put_many([anew])
    assert store.balances.of_device(devices[0]) == [anew]


def test_each_concentrator_has_its_own_days(store: Store, devices: list[int]) -> None:
    store.balances.put_many([day(devices[0], number) for number in (3, 1, 2)] + [day(devices[1], 2)])
    assert [one.day for one in store.balances.of_device(devices[0])] == [1, 2, 3]
    assert [one.day for one in store.balances.of_device(devices[0], from_day=2, to_day=3)] == [2]
    assert store.balances.put_many([]) == 0
