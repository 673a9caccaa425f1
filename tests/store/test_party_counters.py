"""Invocation counters outlive the process, never come twice, and belong to a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from meterway.store.own_file import OwnFile
from meterway.store.party_counters import PartyCounters


class Keys:
    """Each party and logical device has a key of its own."""

    def encryption_key(self, party: str, channel: int) -> bytes:
        return party.encode() + bytes((channel,))


def opened(tmp_path: Path, unix_s: float = 0.0, name: str = "own") -> tuple[OwnFile, PartyCounters[str]]:
    file = OwnFile(tmp_path / name, kind="store", schema=("",))
    return file, PartyCounters(file, Keys(), lambda: unix_s)


@pytest.mark.covers("SEC-04")
def test_counters_go_on_after_a_crash(tmp_path: Path) -> None:
    file, counters = opened(tmp_path)
    used = [counters.sending("operator", 1).take() for _ in range(5)]
    assert used == sorted(set(used))
    counters.receiving("operator", 1).last = 77
    counters.save()
    file.close()
    file, again = opened(tmp_path)
    assert again.sending("operator", 1).take() > max(used)
    assert again.receiving("operator", 1).last == 77
    file.close()


def test_what_was_not_saved_is_not_remembered_and_what_was_never_used_begins_anew(tmp_path: Path) -> None:
    file, counters = opened(tmp_path)
    counters.receiving("operator", 1).last = 5
    file.close()
    file, again = opened(tmp_path)
    assert again.receiving("operator", 1).last == -1
    assert again.sending("operator", 0).take() == 0
    file.close()


@pytest.mark.covers("SEC-05")
def test_a_backup_that_is_put_back_repeats_no_counter(tmp_path: Path) -> None:
    noon = 1_795_000_000.0
    file, counters = opened(tmp_path, noon)
    first = counters.sending("operator", 1).take()
    file.copy_to(tmp_path / "backup")
    used = [counters.sending("operator", 1).take() for _ in range(3000)]
    file.close()
    file, restored = opened(tmp_path, noon + 86400, "backup")
    assert restored.sending("operator", 1).take() > max(first, *used)
    file.close()


def test_counters_are_one_for_a_key_and_another_for_another(tmp_path: Path) -> None:
    file, counters = opened(tmp_path)
    assert counters.sending("operator", 1) is counters.sending("operator", 1)
    assert counters.sending("operator", 0) is not counters.sending("operator", 1)
    assert counters.sending("supplier", 1) is not counters.sending("operator", 1)
    assert counters.receiving("supplier", 1) is not counters.receiving("operator", 1)
    file.close()


def test_nothing_is_written_when_nothing_rose(tmp_path: Path) -> None:
    file, counters = opened(tmp_path)
    counters.receiving("operator", 1).last = 5
    counters.save()
    with file.transaction():
        pass
    file._run("PRAGMA query_only = ON")
    counters.save()
    file.close()
