import contextlib
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from command_line import meterway

FIGURES = {
    "meters", "read", "values", "completeness", "seconds", "values_per_s", "p50_ms", "p95_ms", "failures",
}  # fmt: skip


@pytest.mark.covers("UC-BI-01", "IF-I", "IF-H1", "F1a", "P1", "P10", "E-MED", "E-HES", "E-SECD")
def test_a_town_is_started_read_and_summed_up_in_one_json_object(tmp_path):
    done = meterway("demo", "--meters", "10", "--displays", "2", "--neighbours", "3", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads(done.stdout)
    assert set(summary) >= FIGURES
    assert (summary["meters"], summary["read"], summary["failures"]) == (10, 10, {})
    assert summary["values"] > 10 * 35 * 96 * 2 * 0.95
    assert summary["completeness"] > 0.95
    assert summary["neighbours"] == summary["neighbours_read"] > 3
    assert {row["label"] for row in summary["interfaces"]} >= {"I", "G1", "G2", "H1", "M", "C", "L", "N"}


def test_without_a_terminal_it_ends_with_the_summary_as_text(tmp_path):
    done = meterway("demo", "--meters", "2", "--displays", "0", "--neighbours", "0", cwd=tmp_path)
    assert done.returncode == 0
    text = done.stdout.decode()
    assert "First collection" in text
    assert "completeness" in text
    assert "Traceback" not in text + done.stderr.decode()


def test_a_town_needs_at_least_one_meter(tmp_path):
    assert meterway("demo", "--meters", "0", cwd=tmp_path).returncode == 2


@pytest.fixture
def short():
    """A folder whose name is short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="mw", dir="/tmp") as folder:
        yield Path(folder)


@contextlib.contextmanager
def on_a_terminal(tmp_path, *arguments, **environment):
    """A demo that believes to have a terminal; gives the process and a function that reads on to a word."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "meterway", "demo", "--displays", "0", "--neighbours", "0", *arguments],
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TMPDIR": str(tmp_path), "HOME": str(tmp_path), "COLUMNS": "500", **environment},
    )
    os.close(theirs)
    told = bytearray()

    def read_to(word):
        while word not in told:
            try:
                told.extend(os.read(ours, 65536))
            except OSError:  # the other end is closed
                break
        return bytes(told)

    try:
        yield process, read_to
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_a_port_of_pages_that_is_taken_is_told_with_the_way_out(short):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with on_a_terminal(short, "--meters", "1", "--port", port) as (process, read_to):
            told = read_to(b"takes any that is free")
            assert f"127.0.0.1:{port}".encode() in told
            assert b"--port" in told
            assert process.wait(60) == 2
    assert not list(short.glob("meterway-demo-*"))


def test_a_demo_where_the_home_cannot_be_written_says_how_to_reach_it(short):
    (short / "file").write_text("")
    home = {"XDG_STATE_HOME": str(short / "file")}
    with on_a_terminal(short, "--meters", "1", "--port", "0", **home) as (process, read_to):
        told = read_to(b"headend.toml")
        assert b"meterway read M0001 1.8.0 --config" in told
        process.send_signal(signal.SIGINT)
        assert b"The town closes" in read_to(b"The town closes")
        assert process.wait(60) == 0
    assert not list(short.glob("meterway-demo-*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_demo_that_is_told_to_end_leaves_nothing(tmp_path, number):
    process = subprocess.Popen(
        [sys.executable, "-m", "meterway", "demo", "--meters", "200", "--neighbours", "0", "--once"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # a shell ignores Ctrl-C for what it runs behind
    )
    while not list(tmp_path.glob("meterway-demo-*/meterway.sqlite")) and process.poll() is None:
        time.sleep(0)
    process.send_signal(number)
    told = b"".join(process.communicate(timeout=60))
    assert process.returncode == 128 + number
    assert b"Traceback" not in told
    assert not list(tmp_path.glob("meterway-demo-*"))


def test_a_folder_for_temporary_files_that_is_missing_is_told(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "import tempfile; tempfile.tempdir = '/proc/nowhere'; from meterway.cli import main;"
         "main(['demo', '--meters', '1', '--once'])"],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"/proc/nowhere" in done.stderr
    assert b"Traceback" not in done.stderr
