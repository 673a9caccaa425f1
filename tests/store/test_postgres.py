"""PostgreSQL's complaints."""

import sys
from collections.abc import Callable
from contextlib import closing

import pytest

from meterway.base.errors import StoreError
from meterway.store.postgres import connect, error_type, explain, is_conflict


class ServerError(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("the server's\n  words")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "words"),
    [
        ("53100", "no space is left"),
        ("55P03", "locked"),
        (None, "cannot be reached (the server's words)"),
        ("42P01", "the server's words"),
    ],
)
def test_every_complaint_names_the_server_and_what_is_wrong(sqlstate: str | None, words: str) -> None:
    said = str(explain(ServerError(sqlstate), "postgresql://host/name"))
    assert said.startswith("postgresql://host/name: ")
    assert words in said


def test_a_lost_race_is_worth_another_try_and_nothing_else_is() -> None:
    assert [is_conflict(ServerError(state)) for state in ("23505", "40001", "40P01")] == [True] * 3
    assert [is_conflict(ServerError(state)) for state in ("53100", "23503", None)] == [False] * 3


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"meterway\[postgresql\]"):
        error_type()


@pytest.mark.needs("postgres")
def test_a_connection_commits_by_itself_until_it_is_told_to_begin(new_database: Callable[[], str]) -> None:
    url = new_database()
    with closing(connect(url)) as one, closing(connect(url)) as other:
        one.execute("CREATE TABLE t (a int)")
        one.execute("BEGIN")
        one.execute("INSERT INTO t VALUES (1)")
        assert other.execute("SELECT count(*) FROM t").fetchall() == [(0,)]
        one.execute("COMMIT")
        assert other.execute("SELECT count(*) FROM t").fetchall() == [(1,)]
