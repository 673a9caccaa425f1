"""A gateway changes its firmware: by a real restart into it, and back when it does not come up."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

import meterway as package
from command_line import meterway, running
from lnap_firmware import MAKER, made, pem
from meterway.cli.supervise import RESTART, supervise
from meterway.lnap.slots import Slots


def settings(folder: Path, trial_s: float = 0.3) -> None:
    assert meterway("lnap", "--write-config", "lnap.toml", cwd=folder).returncode == 0
    text = (folder / "lnap.toml").read_text().replace("# port = 4059", "port = 0")
    (folder / "maker.pem").write_bytes(pem(MAKER))
    (folder / "lnap.toml").write_text(f'{text}\n[update]\nmaker = "maker.pem"\ntrial_s = {trial_s}\n')


def archive(change: Callable[[str, bytes], bytes]) -> bytes:
    """The package as it stands, with changes, as an archive."""
    octets = BytesIO()
    root = Path(package.__file__).parent
    with zipfile.ZipFile(octets, "w") as made_of:
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = f"meterway/{path.relative_to(root)}"
                made_of.writestr(name, change(name, path.read_bytes()))
    return octets.getvalue()


@pytest.mark.covers("UC-IN-05", "E-LNAP")
def test_an_image_that_comes_over_g1_is_restarted_into(tmp_path: Path) -> None:
    settings(tmp_path)
    assert meterway("headend", "--write-config", "headend.toml", cwd=tmp_path).returncode == 0
    image = made(b"MWY-LNAP-2", b"a marker")
    with running("lnap", "lnap.toml", "--json", cwd=tmp_path, until="listening") as told:
        assert "MWY-LNAP-1" in told
        port = json.loads(told.splitlines()[-1])["port"]
        registry = meterway("lnap", "lnap.toml", "--csv", "operator", cwd=tmp_path).stdout.decode()
        (tmp_path / "meters.csv").write_text(registry.replace(",127.0.0.1,0,", f",127.0.0.1,{port},"))
        assert meterway("import", "meters.csv", cwd=tmp_path).returncode == 0
        serial = registry.splitlines()[1].split(",")[0]

        def act(method: str, value: object = 0) -> dict[str, object]:
            done = meterway(
                "act", serial, "0-0:44.0.0", method, json.dumps(value), "--class", "18", "--json", cwd=tmp_path
            )
            answer: dict[str, object] = json.loads(done.stdout)
            return answer

        first = act("image_transfer_initiate", {"identifier": "MWY-LNAP-2", "size": len(image)})
        assert first["ok"], first
        second = act("image_block_transfer", {"number": 0, "value": "0x" + image.hex()})
        assert second["ok"], json.dumps(second)
        assert act("image_verify")["ok"]
        assert act("image_activate")["refusal"] == "temporary-failure"
        slots = Slots(tmp_path / "firmware")
        wait_for(lambda: not slots.on_trial)
    assert slots.state.present is not None
    assert slots.state.present.identification == "MWY-LNAP-2"
    with running("lnap", "lnap.toml", "--json", cwd=tmp_path, until="listening") as told:
        assert "MWY-LNAP-2" in told


@pytest.mark.covers("UC-IN-05")
def test_a_signal_that_comes_before_the_process_is_there_is_passed_on_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    class Process:
        def __init__(self, *_: object, **__: object) -> None:
            os.kill(os.getpid(), signal.SIGTERM)  # while it is being started

        def send_signal(self, number: int) -> None:
            told.append(number)

        def wait(self) -> int:
            assert told, "it would run for ever"
            return -told[0]

    monkeypatch.setattr(subprocess, "Popen", Process)
    assert supervise(["lnap"], Slots(tmp_path)) == 128 + signal.SIGTERM
    assert told == [signal.SIGTERM]


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen")


@pytest.mark.covers("UC-IN-05", "E-LNAP")
def test_an_archive_is_run_as_it_is_and_one_that_does_not_come_up_is_rolled_back(tmp_path: Path) -> None:
    settings(tmp_path)

    def marked(name: str, octets: bytes) -> bytes:
        return octets.replace(b'"listening"', b'"listening by the image"') if name.endswith("cli/entity.py") else octets

    def broken(name: str, octets: bytes) -> bytes:
        return b"raise RuntimeError('does not come up')" if name == "meterway/lnap/serve.py" else octets

    slots = Slots(tmp_path / "firmware")
    slots.stage("V2", archive(marked))
    with running("lnap", "lnap.toml", "--json", cwd=tmp_path, until="listening by the image") as told:
        assert '"V2"' in told
        wait_for(lambda: not slots.on_trial)
    slots.stage("V3", archive(broken))
    with running("lnap", "lnap.toml", "--json", cwd=tmp_path, until="listening by the image") as told:
        assert '"V2"' in told
        assert re.search("does not come up", told)
    state = slots.state
    assert state.present is not None
    assert (state.present.identification, state.trial, state.failed) == ("V2", False, "")
    assert not slots.on_trial


class Never:
    """Slots in which nothing is on trial."""

    on_trial = False

    def starting(self) -> None:
        """Nothing."""

    def content(self) -> None:
        """Nothing."""

    def roll_back(self, why: str) -> None:
        raise AssertionError(why)


def test_a_process_that_is_not_on_trial_ends_as_it_ends() -> None:
    assert supervise(["no-such-command"], Never()) == 2
    assert RESTART == 75
