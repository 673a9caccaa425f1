"""An entity's own file: versions, transactions, counters, named octets; and what it says when it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from meterway.base.errors import StoreError
from meterway.store.own_file import OwnFile, whole_seconds

ONE = "CREATE TABLE one (value INTEGER NOT NULL);"
TWO = "CREATE TABLE two (value INTEGER NOT NULL);"


def opened(path: Path, *schema: str) -> OwnFile:
    return OwnFile(path / "own", kind="spool", schema=schema or (ONE,))


def test_an_older_file_gets_what_it_lacks_and_keeps_what_it_has(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file._run("INSERT INTO one VALUES (7)")
    file.keep_state("a", b"b")
    file.close()
    file = opened(tmp_path, ONE, TWO)
    assert file._all("SELECT value FROM one") == [(7,)]
    assert file._all("SELECT value FROM two") == []
    assert file.state("a") == b"b"
    file.close()
    with pytest.raises(StoreError, match=r"the spool was written by a newer program \(version 2\)"):
        opened(tmp_path)


def test_what_is_no_database_is_said_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(b"no database, but long enough to be looked at" * 40)
    with pytest.raises(StoreError, match="own: "):
        opened(tmp_path)


def test_a_transaction_is_whole_or_nothing_and_one_within_is_part_of_it(tmp_path: Path) -> None:
    file = opened(tmp_path)
    with pytest.raises(ValueError, match="broken"), file.transaction():
        file.keep_counter("a", 1)
        with file.transaction():
            file.keep_counter("b", 2)
        raise ValueError("broken")
    assert file.counters("") == {}
    with file.transaction():
        file.keep_counter("a", 1)
    assert file.counter("a") == 1
    file.close()


def test_who_remembers_rows_is_told_when_they_are_taken_back(tmp_path: Path) -> None:
    class Remembering(OwnFile):
        told = 0

        def _undone(self) -> None:
            self.told += 1

    file = Remembering(tmp_path / "own", kind="spool", schema=(ONE,))
    with pytest.raises(StoreError, match="the spool refuses"), file.transaction():
        file._run("INSERT INTO nowhere VALUES (1)")
    assert file.told == 1
    with file.transaction():
        file.keep_state("a", b"")
    assert file.told == 1
    file.close()


def test_a_counter_only_rises_and_is_found_by_the_beginning_of_its_name(tmp_path: Path) -> None:
    file = opened(tmp_path)
    for name, value in (("x:1", 5), ("x:1", 3), ("x:2", 9), ("y", 1)):
        file.keep_counter(name, value)
    assert file.counters("x:") == {"1": 5, "2": 9}
    assert (file.counter("x:1"), file.counter("none")) == (5, 0)
    file.close()


def test_named_octets_are_found_and_dropped_by_the_beginning_of_their_name(tmp_path: Path) -> None:
    file = opened(tmp_path)
    for name in ("p:1", "p:2", "q"):
        file.keep_state(name, name.encode())
    assert file.states("p:") == {"1": b"p:1", "2": b"p:2"}
    file.drop_states("p:")
    assert (file.states("p:"), file.state("q"), file.state("p:1")) == ({}, b"q", b"")
    file.close()


def test_a_copy_is_a_whole_file_of_its_own(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.keep_counter("a", 4)
    file.copy_to(tmp_path / "copy")
    file.keep_counter("a", 5)
    with pytest.raises(StoreError, match="folder"):
        file.copy_to(tmp_path / "folder" / "copy")
    file.close()
    copy = OwnFile(tmp_path / "copy", kind="spool", schema=(ONE,))
    assert copy.counter("a") == 4
    copy.close()


def test_the_seconds_of_a_range_are_whole_and_fit_a_column() -> None:
    assert whole_seconds(0.1, 9.9) == (1, 9)
    assert whole_seconds(5.0, 5.0) == (5, 5)
    assert whole_seconds(-7.5, 1e30) == (0, 1 << 53)
