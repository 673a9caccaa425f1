"""SQLite's settings and complaints."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from meterway.store.sqlite import connect, explain, is_conflict


@pytest.mark.covers("SEC-12")
def test_a_commit_is_on_disk_before_it_is_acknowledged_and_readers_do_not_wait(tmp_path: Path) -> None:
    with closing(connect(str(tmp_path / "store.db"))) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


@pytest.mark.covers("PRI-02")
def test_a_new_database_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(connect(str(path))) as connection:
        connection.execute("CREATE TABLE one (x)")
        assert {one.stat().st_mode & 0o077 for one in tmp_path.iterdir()} == {0}
    path.chmod(0o640)
    with closing(connect(str(path))):
        assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        ("database or disk is full", "no space is left"),
        ("database is locked", "locked"),
        ("file is not a database", "is not a database"),
        ("database disk image is malformed", "damaged"),
        ("attempt to write a readonly database", "cannot be written"),
        ("unable to open database file", "cannot be written"),
        ("disk I/O error", "the disk failed"),
        ("no such table: x", "no such table: x"),
    ],
)
def test_every_complaint_names_the_file_and_what_is_wrong(complaint: str, words: str) -> None:
    error = sqlite3.OperationalError(complaint)
    said = str(explain(error, "/data/store.db"))
    assert said.startswith("/data/store.db")
    assert words in said
    assert not is_conflict(error)
