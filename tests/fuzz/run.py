"""Run every fuzz target for a bounded time, one process each, and say what was found.

    python tests/fuzz/run.py [--seconds 60] [--longer NAME=SECONDS] [--jobs N] [NAME ...]

A target is a program in this folder that calls ``atheris.Setup(sys.argv, ...)`` and ``atheris.Fuzz()``. Octets that
break a parser are kept under var/fuzz/; give such a file to the target as its argument to see the failure again.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
FOUND: Final = HERE.parent.parent / "var" / "fuzz"
# Start-up (imports are instrumented) and the last input may go beyond the time asked for.
GRACE_S: Final = 120
MAX_INPUT: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one target did: its inputs tried, whether it stood, and the end of its output if not."""

    name: str
    inputs: int
    seconds: float
    stood: bool
    output: str


def targets(folder: Path = HERE) -> list[Path]:
    """Every fuzz target under ``folder``."""
    programs = (path for path in folder.rglob("*.py") if path.name != "run.py" and not path.name.startswith("test_"))
    return sorted(path for path in programs if "atheris.Fuzz(" in path.read_text(encoding="utf-8"))


def fuzz(target: Path, seconds: int, found: Path = FOUND) -> Outcome:
    """Run one target; a crash, a hang of 10 s on one input, 2 GB of memory or no input tried is a failure."""
    name = target.relative_to(HERE).with_suffix("").as_posix() if target.is_relative_to(HERE) else target.stem
    found.mkdir(parents=True, exist_ok=True)
    prefix = found / f"{name.replace('/', '-')}-"
    command = [
        sys.executable,
        str(target),
        f"-max_total_time={seconds}",
        f"-artifact_prefix={prefix}",
        f"-max_len={MAX_INPUT}",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]
    start = time.monotonic()
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds + GRACE_S,
            check=False,
        )
        output, ended_well = done.stdout, done.returncode == 0
    except subprocess.TimeoutExpired as late:
        output, ended_well = f"{late.stdout or ''}\ndid not end", False
    counted = re.search(r"number_of_executed_units:\s*(\d+)", output) or re.search(r"Done (\d+) runs", output)
    inputs = int(counted[1]) if counted else 0
    took = time.monotonic() - start
    return Outcome(name=name, inputs=inputs, seconds=took, stood=ended_well and inputs > 0, output=output)


def seconds_for(target: Path, seconds: int, longer: list[str]) -> int:
    """How long a target runs: ``seconds``, or what ``NAME=SECONDS`` gives to names that hold NAME. ValueError if it is
    not of that form."""
    for rule in longer:
        name, _, given = rule.partition("=")
        if name and name in target.stem:
            return int(given)
    return seconds


def main() -> int:
    """Fuzz what was asked for; 1 if anything fell."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=int, default=60)
    asked.add_argument("--longer", action="append", default=[], metavar="NAME=SECONDS")
    asked.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked.add_argument("names", nargs="*")
    given = asked.parse_args()
    chosen = [one for one in targets() if not given.names or any(name in str(one) for name in given.names)]
    if not chosen:
        print("no fuzz target of that name" if given.names else "no fuzz target")
        return 1
    with ThreadPoolExecutor(max_workers=given.jobs) as pool:
        outcomes = []
        for outcome in pool.map(lambda one: fuzz(one, seconds_for(one, given.seconds, given.longer)), chosen):
            outcomes.append(outcome)
            state = "stood" if outcome.stood else "FELL"
            print(f"{state}  {outcome.name}: {outcome.inputs} inputs in {outcome.seconds:.0f} s", flush=True)
            if not outcome.stood:
                print(outcome.output[-4000:], flush=True)
    fallen = sum(not outcome.stood for outcome in outcomes)
    print(f"fuzz: {len(outcomes) - fallen} targets stood, {fallen} fell")
    return 1 if fallen else 0


if __name__ == "__main__":
    sys.exit(main())
