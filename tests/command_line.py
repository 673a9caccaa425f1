"""Running the command line as a user does: as a process of its own, in an empty folder."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def environment(cwd: Path) -> dict[str, str]:
    """Of a process that is to know nothing of this machine's own settings."""
    environment = {**os.environ, "XDG_STATE_HOME": str(cwd / "state"), "HOME": str(cwd)}
    environment.pop("METERWAY_CONFIG", None)
    return environment


def meterway(
    *arguments: str, cwd: Path, stdin: bytes = b"", timeout_s: float = 120
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "meterway", *arguments],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        timeout=timeout_s,
        env=environment(cwd),
        check=False,
    )


@contextlib.contextmanager
def running(*arguments: str, cwd: Path, until: str) -> Iterator[str]:
    """An entity as a process; gives the text it printed up to a line that matches ``until``, and ends it in order."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "meterway", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(cwd),
    )
    try:
        told = ""
        assert process.stdout is not None
        for line in process.stdout:
            told += line
            if re.search(until, line):
                break
        else:
            raise AssertionError(f"ended with {process.wait()}: {told}")
        yield told
    finally:
        process.send_signal(signal.SIGTERM)
        left = process.communicate(timeout=30)[0]
        assert "Traceback" not in left, left


def json_lines(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]
