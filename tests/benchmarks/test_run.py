"""The benchmark runner says our figure, the peer's, the ratio, and whether what was promised is reached."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

RUNNER = Path(__file__).resolve().parents[2] / "benchmarks" / "run.py"


@pytest.fixture
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_runner", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("better", "ours", "theirs", "ratio"), [("lower", 2.0, 100.0, 50.0), ("higher", 300_000.0, 60_000.0, 5.0)]
)
def test_a_ratio_above_one_says_that_we_are_better(
    runner: ModuleType, better: str, ours: float, theirs: float, ratio: float
) -> None:
    row = {"name": "x", "unit": "u", "ours": ours, "peers": {"peer": theirs}, "better": better}
    assert runner.judged(row)["ratio"] == {"peer": ratio}
    assert runner.judged(row)["reached"] is None
    assert runner.judged({**row, "target": {"peer": ratio}})["reached"] is True
    assert runner.judged({**row, "target": {"peer": ratio + 1}})["reached"] is False


def test_a_limit_is_kept_or_not_in_the_right_direction(runner: ModuleType) -> None:
    row = {"name": "x", "unit": "ms", "ours": 0.4, "better": "lower"}
    assert runner.judged({**row, "limit": 0.4})["reached"] is True
    assert runner.judged({**row, "limit": 0.3})["reached"] is False
    assert runner.judged({**row, "better": "higher", "limit": 0.5})["reached"] is False


def test_a_target_on_a_peer_that_did_not_run_is_not_reached(runner: ModuleType) -> None:
    row = {"name": "x", "unit": "ms", "ours": 1.0, "better": "lower", "peers": {}, "target": {"peer": 2}}
    assert runner.judged(row)["reached"] is False


def test_benchmarks_run_alone_and_a_failing_one_is_told_by_its_last_line(runner: ModuleType, tmp_path: Path) -> None:
    good = tmp_path / "good.py"
    good.write_text(
        "def measure():\n    print('noise')\n"
        "    return [{'name': 'n', 'unit': 'ms', 'ours': 1.0, 'peers': {'p': 3.0}, 'better': 'lower'}]\n"
    )
    bad = tmp_path / "bad.py"
    bad.write_text("def measure():\n    raise ValueError('no such vector')\n")
    assert runner.benchmarks(tmp_path) == [bad, good]
    (row,) = runner.measured(good)
    assert (row["benchmark"], row["ratio"]) == ("good", {"p": 3.0})
    (failed,) = runner.measured(bad)
    assert failed["error"] == "ValueError: no such vector"
    told = runner.table([row, failed])
    assert "n: 1 ms" in told
    assert "p: 3 ms, 3 x" in told
    assert "bad: FAILED: ValueError: no such vector" in told


def test_a_name_that_fits_no_benchmark_is_a_failure() -> None:
    done = subprocess.run([sys.executable, str(RUNNER), "--json", "no-such-name"], capture_output=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["benchmarks"] == []
