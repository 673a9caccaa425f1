"""The outbox."""

import pytest

from meterway.base.errors import StoreError
from meterway.store.database import Store


def test_messages_are_told_in_order_until_they_are_removed(store: Store) -> None:
    assert store.outbox.add_many([("reading", b"1"), ("event", b"2"), ("reading", b"3")], now_ms=7) == 3
    first = store.outbox.pending(limit=2)
    assert [(each.topic, each.payload, each.added_ms) for each in first] == [("reading", b"1", 7), ("event", b"2", 7)]
    assert store.outbox.remove(first) == 2
    assert store.outbox.remove(first) == 0
    assert [each.payload for each in store.outbox.pending()] == [b"3"]


def test_a_message_exists_only_if_its_transaction_does(store: Store) -> None:
    with pytest.raises(StoreError), store.transaction():
        store.outbox.add_many([("reading", b"1")], now_ms=7)
        store.devices.get(999)
    assert store.outbox.pending() == []
