"""Running the command line as a user does: as a process of its own, in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def meterway(
    *arguments: str, cwd: Path, stdin: bytes = b"", timeout_s: float = 120
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "XDG_STATE_HOME": str(cwd / "state"), "HOME": str(cwd)}
    environment.pop("METERWAY_CONFIG", None)
    return subprocess.run(
        [sys.executable, "-m", "meterway", *arguments],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        timeout=timeout_s,
        env=environment,
        check=False,
    )


def json_lines(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]
