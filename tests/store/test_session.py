"""Transactions."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from meterway.base.errors import StoreError
from meterway.store.database import Store, open_store


def test_what_is_done_in_one_transaction_is_stored_together_or_not_at_all(store: Store) -> None:
    with pytest.raises(StoreError), store.transaction():
        store.settings.put("a", "1")
        assert store.settings.get("a") == "1"
        store.devices.get(999)
    assert store.settings.get("a") == ""
    with store.transaction():
        store.settings.put("a", "1")
        with store.transaction():
            store.settings.put("b", "2")
    assert store.settings.all() == {"a": "1", "b": "2"}


def test_an_error_in_a_step_is_a_store_error_on_the_spot_and_the_store_goes_on(store: Store) -> None:
    with pytest.raises(StoreError, match="no_such_table"), store.transaction():
        store.settings.put("a", "1")
        store.session.read("SELECT 1 FROM no_such_table")
    with pytest.raises(StoreError):
        store.session.read("SELECT 1 FROM no_such_table")
    assert store.settings.get("a") == ""
    store.settings.put("a", "2")
    assert store.settings.get("a") == "2"


def test_a_number_of_more_than_64_bits_is_refused(store: Store) -> None:
    with pytest.raises(StoreError):
        store.devices.get(2**70)


def test_threads_share_a_store(store: Store) -> None:
    def work(number: int) -> str:
        store.settings.put(f"name{number}", str(number))
        return store.settings.get(f"name{number}")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(40))) == [str(number) for number in range(40)]
    assert len(store.settings.all()) == 40


def test_a_store_in_memory_is_one_database_for_all_threads() -> None:
    with open_store("sqlite:///:memory:") as store, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: store.settings.put(str(number), ""), range(20)))
        assert len(store.settings.all()) == 20


def test_a_store_in_memory_survives_an_error() -> None:
    with open_store("sqlite:///:memory:") as store:
        store.settings.put("a", "1")
        with pytest.raises(StoreError, match="no_such_table"):
            store.session.read("SELECT 1 FROM no_such_table")
        assert store.settings.get("a") == "1"


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.settings.get("a")


def test_a_name_is_claimed_by_one_at_a_time(url: str) -> None:
    with open_store(url) as one, open_store(url) as two:
        is_shared = one.session.dialect.name == "postgresql"
        assert one.session.claim("head end")
        assert two.session.claim("head end") is not is_shared
        assert two.session.claim("another name")
        one.close()
        assert two.session.claim("head end")
