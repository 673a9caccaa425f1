"""A test that lacks its program is left out, counted and explained, or failed where everything is required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import programs

TESTS = Path(__file__).parent

SAMPLE = """
import pytest
@pytest.mark.needs("mosquitto")
def test_a_broker_runs(program):
    assert program("mosquitto").name == "mosquitto"
@pytest.mark.needs("mosquitto", "openssl")
def test_two_programs_run():
    assert True
def test_nothing_is_needed():
    assert True
"""


def run(folder: Path, *, lacking: bool, **env: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_sample.py").write_text(SAMPLE)
    (folder / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    path = [str(folder)]
    if lacking:
        stub = (TESTS / "programs.py").read_text()
        (folder / "programs.py").write_text(
            stub.replace('("mosquitto", "mosquitto")', '("not-there-mosquitto", "mosquitto")')
        )
    else:
        (folder / "mosquitto").write_text("#!/bin/sh\n")
        (folder / "mosquitto").chmod(0o755)
        (folder / "openssl").symlink_to("mosquitto")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    needs(*programs): x\n")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": os.pathsep.join([str(folder), str(TESTS)]), "METERWAY_REQUIRE_ALL": "", **env}
    environment["PATH"] = os.pathsep.join([*path, environment["PATH"]])
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_test_without_its_program_is_left_out_and_the_summary_says_how_to_get_it(tmp_path: Path) -> None:
    done = run(tmp_path, lacking=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 tests need mosquitto (Debian: apt-get install mosquitto)" in done.stdout
    assert "1 passed, 2 skipped" in done.stdout


def test_where_everything_is_required_a_missing_program_is_a_failure(tmp_path: Path) -> None:
    done = run(tmp_path, lacking=True, METERWAY_REQUIRE_ALL="1")
    assert done.returncode == 1
    assert "METERWAY_REQUIRE_ALL is set" in done.stdout
    assert "1 passed, 2 errors" in done.stdout


def test_a_test_whose_programs_are_there_runs_and_gets_their_paths(tmp_path: Path) -> None:
    done = run(tmp_path, lacking=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    assert "left out" not in done.stdout


def test_a_program_is_found_off_the_path_and_the_newest_version_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("9", "15"):
        place = tmp_path / version / "bin"
        place.mkdir(parents=True)
        (place / "postgres").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_ELSEWHERE", (f"{tmp_path}/*/bin",))
    assert programs.find("postgres") == tmp_path / "15" / "bin" / "postgres"
    assert programs.find("mosquitto") is None


def test_the_programs_in_use_are_those_of_the_marks(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    assert programs.used(tmp_path) == {"mosquitto", "openssl"}
    assert programs.used(TESTS) <= set(programs.PACKAGES)
