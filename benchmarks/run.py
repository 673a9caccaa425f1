"""Run the benchmarks, each in a process of its own, and print our figure, each peer's and the ratio.

    python benchmarks/run.py [--json] [NAME ...]

A benchmark is a file of this folder with a function ``measure()`` that returns a list of dicts, one a figure:

    {"name": "profile, 2976 rows, columns", "unit": "ms", "ours": 0.12, "peers": {"gurux-dlms": 118.0},
     "better": "lower", "target": {"gurux-dlms": 300}, "limit": 0.4}

``peers`` may be empty or left out. ``better`` is ``lower`` (a time, a size) or ``higher`` (a rate). ``target``
is how many times better than that peer we mean to be; ``limit`` the figure that ours should reach without a peer. Both
may be left out.
The peers run in the same process and on the same octets as ours, so that a ratio is of one machine and one moment.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
LIMIT_S: Final = 600


def benchmarks(folder: Path = HERE) -> list[Path]:
    """Every benchmark of ``folder``."""
    return sorted(path for path in folder.glob("*.py") if "def measure(" in path.read_text() and path.name != "run.py")


def judged(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the ratio to each peer (above 1: we are better) and whether target and limit are reached."""
    lower = row["better"] == "lower"
    ours = row["ours"]
    peers = row.get("peers", {})
    ratios = {name: round(theirs / ours if lower else ours / theirs, 2) for name, theirs in peers.items()}
    wanted = row.get("target", {})
    limit = row.get("limit")
    kept = limit is None or (ours <= limit if lower else ours >= limit)
    reached = kept and all(ratios.get(name, 0) >= times for name, times in wanted.items())
    return {**row, "peers": peers, "ratio": ratios, "reached": reached if wanted or limit is not None else None}


def measured(path: Path) -> list[dict[str, Any]]:
    """All rows of one benchmark, run in a process of its own; one row with ``error`` if it failed."""
    command = [sys.executable, str(Path(__file__).resolve()), "--measure", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return [{"benchmark": path.stem, "name": path.stem, "error": f"did not end in {LIMIT_S} s"}]
    if done.returncode:
        return [
            {"benchmark": path.stem, "name": path.stem, "error": (done.stderr.strip() or "failed").splitlines()[-1]}
        ]
    return [{"benchmark": path.stem, **judged(row)} for row in json.loads(done.stdout.splitlines()[-1])]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count()}


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as text."""
    lines = []
    for row in rows:
        if "error" in row:
            lines.append(f"{row['name']}: FAILED: {row['error']}")
            continue
        verdict = {True: "reached", False: "NOT REACHED", None: ""}[row["reached"]]
        lines.append(f"{row['name']}: {_figure(row['ours'])} {row['unit']}  {verdict}".rstrip())
        lines.extend(
            f"    {name}: {_figure(theirs)} {row['unit']}, {row['ratio'][name]:g} x"
            + (f" (target {wanted:g} x)" if (wanted := row.get("target", {}).get(name)) else "")
            for name, theirs in row["peers"].items()
        )
        if row.get("limit") is not None:
            lines.append(f"    limit {_figure(row['limit'])} {row['unit']}")
    return "\n".join(lines)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _measure(path: Path) -> None:
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    print("\n" + json.dumps(module.measure()))


def main() -> int:
    """Run what was asked for; 1 if a benchmark failed (a target not reached is reported, not an error)."""
    asked = argparse.ArgumentParser(description="Run the benchmarks, peers beside us.")
    asked.add_argument("--json", action="store_true", help="one JSON object")
    asked.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked.add_argument("names", nargs="*", help="only benchmarks whose file name contains one of these")
    given = asked.parse_args()
    if given.measure:
        _measure(given.measure)
        return 0
    rows: list[dict[str, Any]] = []
    for path in benchmarks():
        if given.names and not any(name in path.stem for name in given.names):
            continue
        new = measured(path)
        rows += new
        if not given.json:
            print(table(new), flush=True)
    if given.json:
        print(json.dumps({"machine": machine(), "benchmarks": rows}))
    return 1 if not rows or any("error" in row for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
