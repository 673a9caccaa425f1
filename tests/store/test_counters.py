"""Counters that only rise."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from meterway.base.errors import StoreError
from meterway.store.database import Store, open_store


@pytest.mark.covers("SEC-05")
def test_a_counter_never_falls(store: Store, devices: list[int]) -> None:
    store.counters.raise_to(devices[0], "seen", 100)
    store.counters.raise_to(devices[0], "seen", 100)
    with pytest.raises(StoreError, match="stands at 100 and cannot fall to 99"):
        store.counters.raise_to(devices[0], "seen", 99)
    assert store.counters.next(devices[0], "seen") == 100
    assert store.counters.all(devices[0]) == {"seen": 100}
    assert store.counters.next(devices[1], "seen") == 0


@pytest.mark.covers("SEC-05")
def test_what_is_reserved_is_never_given_again_even_after_a_restart(url: str, store: Store, devices: list[int]) -> None:
    first = store.counters.reserve(devices[0], "sent", 10, at_least=5)
    assert first == range(5, 15)
    with open_store(url) as restarted:
        assert restarted.counters.reserve(devices[0], "sent", 10, at_least=5) == range(15, 25)
        assert restarted.counters.reserve(devices[0], "sent", 1, at_least=1000) == range(1000, 1001)


@pytest.mark.covers("SEC-05")
def test_reservations_of_many_at_once_do_not_overlap(url: str, store: Store, devices: list[int]) -> None:
    def reserve(_: int) -> list[range]:
        with open_store(url) as own:
            return [own.counters.reserve(devices[0], "sent", 3) for _ in range(20)]

    with ThreadPoolExecutor(4) as pool:
        ranges = [each for some in pool.map(reserve, range(4)) for each in some]
    assert sorted(number for each in ranges for number in each) == list(range(240))


def test_counters_of_impossible_values_are_refused(store: Store, devices: list[int]) -> None:
    for value in (-1, 2**63):
        with pytest.raises(StoreError):
            store.counters.raise_to(devices[0], "seen", value)
        with pytest.raises(StoreError):
            store.counters.reserve(devices[0], "sent", 1, at_least=value)
    with pytest.raises(StoreError):
        store.counters.reserve(devices[0], "sent", 0)


def test_noting_counters_raises_the_lower_ones_only(store: Store, devices: list[int]) -> None:
    store.counters.raise_to(devices[1], "seen", 50)
    assert store.counters.note_many({(devices[0], "seen"): 7, (devices[1], "seen"): 49}) == 1
    assert [store.counters.next(device, "seen") for device in devices[:2]] == [7, 50]
    assert store.counters.note_many({}) == 0
