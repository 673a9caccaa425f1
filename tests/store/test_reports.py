"""Bulk reports that were taken."""

import pytest

from meterway.base.errors import StoreError
from meterway.store.database import Store

pytestmark = pytest.mark.covers("IF-G2")


def test_a_report_is_taken_once_from_each_sender(store: Store, devices: list[int]) -> None:
    assert store.reports.take(devices[0], "r-1", b"one", now_ms=5)
    assert not store.reports.take(devices[0], "r-1", b"other", now_ms=6)
    assert store.reports.take(devices[1], "r-1", b"one", now_ms=7)
    assert store.reports.digest(devices[0], "r-1") == b"one"
    assert store.reports.digest(devices[0], "r-2") is None
    assert (store.reports.last_ms(devices[0]), store.reports.last_ms(devices[2])) == (5, None)


def test_a_report_counts_as_taken_only_if_its_transaction_is_stored(store: Store, devices: list[int]) -> None:
    with pytest.raises(StoreError), store.transaction():
        store.reports.take(devices[0], "r-1", b"one", now_ms=5)
        store.devices.get(999)
    assert store.reports.take(devices[0], "r-1", b"one", now_ms=6)


def test_old_ones_are_forgotten(store: Store, devices: list[int]) -> None:
    store.reports.take(devices[0], "r-1", b"one", now_ms=5)
    store.reports.take(devices[0], "r-2", b"two", now_ms=9)
    assert store.reports.prune(before_ms=9) == 1
    assert store.reports.digest(devices[0], "r-2") == b"two"
