"""The fuzz runner tells a target that stood from one that fell, hung up early or tried nothing."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

RUNNER = Path(__file__).resolve().parent / "run.py"


def test_a_target_may_be_given_more_time_by_a_part_of_its_name(runner: ModuleType) -> None:
    longer = ["mbus=60", "p1=5"]
    assert runner.seconds_for(Path("fuzz_mbus_altered.py"), 15, longer) == 60
    assert runner.seconds_for(Path("fuzz_p1.py"), 15, longer) == 5
    assert runner.seconds_for(Path("fuzz_axdr.py"), 15, longer) == 15
    with pytest.raises(ValueError, match="invalid literal"):
        runner.seconds_for(Path("fuzz_p1.py"), 15, ["p1"])


@pytest.fixture
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_runner", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_runner"] = module
    spec.loader.exec_module(module)
    return module


def target(folder: Path, body: str) -> Path:
    path = folder / "fuzz_thing.py"
    path.write_text(f"# stands in for a program with atheris.Fuzz()\nimport sys\n{body}\n")
    return path


@pytest.mark.parametrize(
    ("body", "stood", "inputs"),
    [
        ("print('stat::number_of_executed_units: 5120')", True, 5120),
        ("print('Done 77 runs in 1 second(s)')", True, 77),
        ("print('stat::number_of_executed_units: 9'); sys.exit(77)", False, 9),
        ("print('nothing tried')", False, 0),
    ],
)
def test_a_target_stands_only_if_it_ended_well_and_tried_something(
    runner: ModuleType, tmp_path: Path, *, body: str, stood: bool, inputs: int
) -> None:
    outcome = runner.fuzz(target(tmp_path, body), 1, tmp_path / "found")
    assert (outcome.stood, outcome.inputs) == (stood, inputs)


def test_a_target_gets_bounds_on_time_memory_and_length(runner: ModuleType, tmp_path: Path) -> None:
    outcome = runner.fuzz(target(tmp_path, "print(*sys.argv[1:])"), 3, tmp_path / "found")
    given = outcome.output.split()
    assert {"-max_total_time=3", "-timeout=10", "-rss_limit_mb=2048", "-max_len=4096"} <= set(given)


def test_only_programs_that_fuzz_are_targets(runner: ModuleType, tmp_path: Path) -> None:
    mine = target(tmp_path, "")
    (tmp_path / "words.py").write_text("SEEDS = ()\n")
    assert runner.targets(tmp_path) == [mine]
    assert not {RUNNER, Path(__file__).resolve()} & set(runner.targets())
