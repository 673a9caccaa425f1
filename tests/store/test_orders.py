"""Orders to groups."""

import pytest

from meterway.store.database import Store
from meterway.store.orders import StoredOrder

pytestmark = pytest.mark.covers("F4f")


def test_an_order_is_found_as_it_stands_and_the_newest_first(store: Store) -> None:
    store.orders.put("o1", "waiting", "{}", now_ms=1)
    store.orders.put("o2", "waiting", "{}", now_ms=2)
    store.orders.put("o1", "done", '{"done": 3}', now_ms=3)
    assert store.orders.find("o1") == StoredOrder("o1", "done", '{"done": 3}', 3)
    assert [each.name for each in store.orders.recent()] == ["o1", "o2"]
    assert [each.name for each in store.orders.recent(limit=1)] == ["o1"]
    assert store.orders.find("o3") is None
