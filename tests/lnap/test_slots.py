"""Which firmware runs is one or the other after a power cut, and what did not come up gives way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meterway.base.errors import StoreError
from meterway.lnap.slots import Slots


@pytest.mark.covers("UC-IN-05")
def test_new_firmware_is_on_trial_until_it_is_confirmed(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "firmware")
    assert slots.content() is None
    assert not slots.on_trial
    slots.stage("V2", b"PK\x03\x04 archive")
    content = slots.content()
    assert content is not None
    assert content.read_bytes() == b"PK\x03\x04 archive"
    assert slots.on_trial
    slots.starting()
    slots.confirm()
    assert not slots.on_trial
    slots.stage("V3", b"octets")
    assert slots.content() is None
    slots.confirm()
    slots.stage("V4", b"other")
    slots.confirm()
    assert [path.suffix for path in (tmp_path / "firmware").iterdir()].count(".zip") == 0


@pytest.mark.covers("UC-IN-05")
def test_what_does_not_come_up_gives_way_to_the_one_before(tmp_path: Path) -> None:
    slots = Slots(tmp_path)
    slots.stage("V2", b"two")
    slots.confirm()
    slots.stage("V3", b"three")
    slots.roll_back("the process ended with status 1")
    state = slots.state
    assert state.present is not None
    assert (state.present.identification, state.failed) == ("V2", "V3")
    slots.told()
    assert slots.state.failed == ""
    slots.stage("V4", b"four")
    for _ in range(3):  # comes up, and each time the power fails before it has proved itself
        state = slots.starting()
    assert state.present is not None
    assert (state.present.identification, state.why) == ("V2", "it did not prove itself")


@pytest.mark.covers("UC-IN-05")
def test_the_same_firmware_once_more_leaves_its_file_whole_and_what_was_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = Slots(tmp_path)
    for name in ("V2", "V3"):
        slots.stage(name, b"PK\x03\x04" + name.encode())
        slots.confirm()
    running = slots.content()
    assert running is not None

    def fails(_: int) -> None:
        raise OSError("no space")

    with monkeypatch.context() as patch, pytest.raises(StoreError):
        patch.setattr(os, "fsync", fails)
        patch.setattr(Path, "replace", fails)
        slots.stage("V3", b"PK\x03\x04V3")
    assert running.read_bytes() == b"PK\x03\x04V3"
    inode = running.stat().st_ino
    slots.stage("V3", b"PK\x03\x04V3")
    assert running.stat().st_ino != inode, "what runs is not written into"
    before = slots.state.before
    assert before is not None
    assert before.identification == "V2"


@pytest.mark.covers("UC-IN-05")
def test_what_never_proved_itself_is_nothing_to_fall_back_to(tmp_path: Path) -> None:
    slots = Slots(tmp_path)
    slots.stage("V2", b"two")
    slots.confirm()
    slots.stage("V3", b"three, which does not run")
    slots.stage("V4", b"four")
    state = slots.roll_back("the process ended with status 1")
    assert state.present is not None
    assert state.present.identification == "V2"


_STAGER = """
import sys
from pathlib import Path
from meterway.lnap.slots import Slots
slots = Slots(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    slots.stage(f"V{number}", str(number).encode() * 1000)
    slots.confirm()
    print(number, flush=True)
"""


@pytest.mark.covers("UC-IN-05", "E-LNAP")
def test_a_whole_firmware_is_in_its_place_after_any_power_cut(tmp_path: Path) -> None:
    done = 0
    for _ in range(4):
        command = [sys.executable, "-c", _STAGER, str(tmp_path), str(done)]
        paths = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=paths) as stager:
            assert stager.stdout is not None
            for _ in range(5):
                stager.stdout.readline()
            stager.send_signal(signal.SIGKILL)
            left = [line for line in stager.stdout if line.endswith("\n")]
        state = Slots(tmp_path).state
        assert state.present is not None
        number = int(state.present.identification[1:])
        assert number >= done + 5 + len(left)
        assert (tmp_path / state.present.file).read_bytes() == str(number).encode() * 1000
        done = number


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        Slots(tmp_path / "file").stage("V2", b"x")
    (tmp_path / "slots.json").write_text("no json")
    with pytest.raises(StoreError, match=r"slots\.json"):
        _ = Slots(tmp_path).state


@pytest.mark.covers("SEC-08")
def test_the_highest_that_proved_itself_is_remembered_and_an_abandoned_trial_is_not(tmp_path: Path) -> None:
    slots = Slots(tmp_path)
    slots.stage("V2", b"two")
    slots.confirm()
    slots.stage("V3", b"three")
    slots.roll_back("it did not prove itself")
    assert slots.state.proven == "V2"
    slots.stage("V3", b"three")
    slots.confirm()
    slots.stage("V2", b"two")
    slots.confirm()
    assert slots.state.proven == "V3"
