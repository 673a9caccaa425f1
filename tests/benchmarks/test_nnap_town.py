"""The town of concentrators reads what it says it reads, in one process or two, and its meters stay small."""

from __future__ import annotations

import gc
import importlib.util
import json
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "benchmarks" / "nnap_town.py"
BOUND = 24_000
"""Octets of a meter on PRIME that was read, both sides, as Python counts them: SQLite's rows are not among them."""


@pytest.fixture(scope="module")
def town() -> ModuleType:
    spec = importlib.util.spec_from_file_location("nnap_town", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["nnap_town"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("profile", ["prime", "g3", "rf-mesh", "s-fsk"])
def test_every_meter_of_every_concentrator_joins_and_its_day_is_read(town: ModuleType, profile: str) -> None:
    task = town.Task(nnaps=2, meters=5, profile=profile)
    told: list[int] = []
    (part,) = town.run_town(task, 1, told.append)
    assert (part.joined, part.read, sum(told)) == (10, 10, 10)
    assert part.values == part.wanted == 10 * 96 * 4
    assert 0 < part.hours <= task.hours
    assert part.transmissions > 100


def test_what_was_not_read_in_time_is_not_counted(town: ModuleType) -> None:
    task = town.Task(nnaps=2, meters=5, hours=0.01)
    found = town.summary(task, town.run_town(task, 1), 1.0)
    assert found["read"] < 10
    assert found["complete"] < 1.0
    assert found["values"] == found["complete"] * 10 * 96 * 4


def test_with_a_file_for_each_concentrator_it_reads_the_same(town: ModuleType) -> None:
    task = town.Task(nnaps=1, meters=5)
    (memory,), (disk,) = (town.run_town(replace(task, on_disk=kind), 1) for kind in (False, True))
    assert (disk.values, disk.hours, disk.transmissions) == (memory.values, memory.hours, memory.transmissions)


def test_two_processes_share_the_concentrators_out() -> None:
    command = [sys.executable, str(PROGRAM), "--nnaps", "2", "--meters", "5", "--workers", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    found = json.loads(done.stdout)
    assert (found["processes"], found["meters"], found["read"], found["complete"]) == (2, 10, 10, 1.0)
    assert min(found["cpu_s"], found["peak_rss_mib"], found["simulated_h"]) > 0


@pytest.mark.covers("F1")
def test_a_meter_that_was_read_takes_little_memory(town: ModuleType) -> None:
    task = town.Task(nnaps=1, meters=30)
    town.warm_up(task)
    gc.collect()
    tracemalloc.start()
    try:
        one = town.Neighbourhood(task, 0)
        while not one.is_done:
            one.turn()
        gc.collect()
        octets = tracemalloc.get_traced_memory()[0] / task.meters
    finally:
        tracemalloc.stop()
    assert one.read == task.meters
    assert octets < BOUND
