"""The audit log."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from meterway.base.errors import StoreError
from meterway.store.database import Store, open_store


def given_three_rows(store: Store, device: int) -> None:
    store.audit.append("anna", "disconnect", time_ms=1, result="sent", device=device)
    store.audit.append("anna", "disconnect", time_ms=2, result="ok", device=device, detail="Zähler geöffnet")
    store.audit.append("system", "start", time_ms=3, result="ok")


@pytest.mark.covers("SEC-09")
def test_commands_are_found_again_with_who_what_and_when(store: Store, devices: list[int]) -> None:
    given_three_rows(store, devices[0])
    assert [(each.actor, each.action, each.result) for each in store.audit.of_device(devices[0])] == [
        ("anna", "disconnect", "ok"),
        ("anna", "disconnect", "sent"),
    ]
    newest = store.audit.recent(limit=1)[0]
    assert (newest.id, newest.device, newest.time_ms) == (3, None, 3)
    assert store.audit.head() == (3, newest.chain)
    assert store.audit.verify() == 3


@pytest.mark.covers("SEC-09")
def test_the_database_refuses_to_change_or_delete_a_row(store: Store, devices: list[int]) -> None:
    given_three_rows(store, devices[0])
    for sql in ("UPDATE audit SET actor = 'eve'", "DELETE FROM audit WHERE id = 2"):
        with pytest.raises(StoreError, match="only added"):
            store.session.change(sql)
    assert store.audit.verify() == 3


@pytest.mark.covers("SEC-09")
@pytest.mark.parametrize("tampering", ["UPDATE audit SET actor = 'eve' WHERE id = 2", "DELETE FROM audit WHERE id = 2"])
def test_a_row_that_was_changed_past_the_guard_is_found(store: Store, devices: list[int], tampering: str) -> None:
    given_three_rows(store, devices[0])
    if store.session.dialect.name == "postgresql":
        store.session.change("DROP TRIGGER audit_kept ON audit")
    else:
        store.session.change("DROP TRIGGER audit_kept_update")
        store.session.change("DROP TRIGGER audit_kept_delete")
    store.session.change(tampering)
    with pytest.raises(StoreError, match=r"audit row [23] was altered"):
        store.audit.verify()


def test_an_empty_log_is_whole(store: Store) -> None:
    assert store.audit.verify() == 0
    assert store.audit.head() == (0, bytes(32))


def test_rows_of_many_writers_form_one_chain(url: str, store: Store) -> None:
    def write(number: int) -> None:
        with open_store(url) as own:
            for each in range(15):
                own.audit.append(f"w{number}", "read", time_ms=each, result="ok")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert store.audit.verify() == 60
