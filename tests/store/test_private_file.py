"""What holds secrets or how people live is for its owner only, whatever the process would give files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from meterway.meter.counters import FileCounters
from meterway.store.own_file import OwnFile
from meterway.store.private_file import make_private, private_opener

pytestmark = pytest.mark.covers("SEC-04")


@pytest.fixture(autouse=True)
def open_handed() -> Iterator[None]:
    """A process that gives everybody everything."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_file_is_made_private_and_one_that_is_there_is_left(tmp_path: Path) -> None:
    make_private(tmp_path / "new")
    (tmp_path / "old").write_text("kept")
    (tmp_path / "old").chmod(0o640)
    make_private(tmp_path / "old")
    assert (mode(tmp_path / "new"), mode(tmp_path / "old")) == (0o600, 0o640)
    assert (tmp_path / "old").read_text() == "kept"
    make_private(tmp_path / "no" / "folder")
    with open(tmp_path / "opened", "w", opener=private_opener):
        assert mode(tmp_path / "opened") == 0o600


def test_an_entitys_file_its_companions_and_its_copy_are_private(tmp_path: Path) -> None:
    file = OwnFile(tmp_path / "own", kind="store", schema=("",))
    with file.transaction():
        file.keep_counter("one", 1)
    file.copy_to(tmp_path / "copy")
    assert {one.name: mode(one) for one in tmp_path.iterdir()} == dict.fromkeys(
        ("own", "own-wal", "own-shm", "copy"), 0o600
    )
    file.close()


def test_the_counters_and_keys_of_meters_are_private(tmp_path: Path) -> None:
    FileCounters(tmp_path / "counters").close()
    assert mode(tmp_path / "counters") == 0o600
