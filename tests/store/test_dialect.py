"""How queries and addresses are adapted."""

import pytest

from meterway.base.errors import StoreError
from meterway.store.dialect import dialect_of


def test_a_query_is_written_once_for_both() -> None:
    query = "SELECT a % 2, CAST(b AS TEXT), c::text FROM t WHERE a = :a_1 AND b = :b FOR UPDATE SKIP LOCKED"
    lite, big = dialect_of("sqlite:///:memory:"), dialect_of("postgresql://host/name")
    assert lite.text(query) == "SELECT a % 2, CAST(b AS TEXT), c::text FROM t WHERE a = :a_1 AND b = :b"
    assert big.text(query) == (
        "SELECT a %% 2, CAST(b AS TEXT), c::text FROM t WHERE a = %(a_1)s AND b = %(b)s FOR UPDATE SKIP LOCKED"
    )
    assert big.text("VALUES (?, ?)") == "VALUES (%s, %s)"


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("sqlite:////var/lib/meterway/store.db", "/var/lib/meterway/store.db"),
        ("sqlite:///store.db", "store.db"),
        ("sqlite:///", ":memory:"),
        ("postgresql://me:secret@host:5433/name?sslmode=require", "postgresql://host:5433/name"),
        ("postgres://me:secret@/name?host=/run/x&password=secret", "postgresql:///name"),
    ],
)
def test_an_address_names_a_database_and_messages_never_name_a_password(url: str, where: str) -> None:
    assert dialect_of(url).where == where


@pytest.mark.parametrize("url", ["", "store.db", "sqlite://store.db", "mysql://me:secret@host/name"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(StoreError, match="sqlite:///path") as caught:
        dialect_of(url)
    assert "secret" not in str(caught.value)
