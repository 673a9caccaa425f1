"""A concentrator dies and a standby takes its network over, with medium, meters and head end as processes of their own.

What the head end has in the end is what the meters have: nothing is missing, nobody is locked out. The medium is
simulated and runs 40 times as fast.
"""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest

from command_line import environment, meterway, running
from meterway.store.database import open_store

pytestmark = pytest.mark.covers("E-NNAP-9", "IF-G2", "IF-C")

METERS = 3
SECRET = "5a" * 16
PARTY = f'[[parties]]\nname = "operator"\nclient = 1\nsecret = "{SECRET}"\nrights = ["read", "command", "configure"]\n'


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def done(*arguments, cwd):
    """What a command printed; it ended well."""
    found = meterway(*arguments, cwd=cwd)
    assert found.returncode == 0, found.stderr.decode()
    return found.stdout.decode()


def until(what, seconds=90.0):
    """What it gives once it is something."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"it did not come within {seconds:g} s"
        time.sleep(0.3)
    return found


def settings(folder, wan, hub):
    """Meters, both concentrators (one state of their own each) and a head end that takes reports."""
    web, (a, b) = free_port(), (folder / "a", folder / "b")
    a.mkdir(), b.mkdir()
    network = f'[network]\nport = {hub}\nprofile = "prime"\ntime_factor = 40\n'
    (folder / "meter.toml").write_text(
        f'counters = "meter.json"\nsecret = "{SECRET}"\n[[meter]]\nserial = "M0001"\ncount = {METERS}\n'
        f"installed = {time.strftime('%Y-%m-%d', time.gmtime(time.time() - 2 * 86400))}\n{network}spread_s = 0.5\n"
    )
    headend = done("headend", "--write-config", cwd=folder)
    headend = re.sub(r'(?m)^# tokens = "nnap.tokens"', 'tokens = "nnap.tokens"', headend)
    headend = re.sub(r"(?m)^# port = 8480", f"port = {web}", headend)
    headend = re.sub(r"(?m)^# port = 4061", "port = 0", headend)
    headend = re.sub(r"(?m)^# every_s = 900.0", "every_s = 3600.0", headend)
    (folder / "headend.toml").write_text(headend)
    token = done("headend", "headend.toml", "--new-nnap-token", "NNAP1", cwd=folder).strip()
    report = f'[report]\nurl = "http://127.0.0.1:{web}/g2/reports"\ntoken = "{token}"\nevery_s = 1.0\nretry_s = 0.5\n'
    listed = done("meter", "meter.toml", "--white-list", cwd=folder)
    text = f'serial = "NNAP1"\n[wan]\nport = {wan}\n{PARTY}{network}{report}[plan]\nevery_s = 5.0\nanswer_s = 20.0\n'
    for place in (a, b):
        (place / "nnap.toml").write_text(text + listed)
    (folder / "all.csv").write_text(done("nnap", "a/nnap.toml", "--csv", "operator", cwd=folder))
    done("import", "all.csv", "--config", "headend.toml", cwd=folder)
    return a, b


@contextmanager
def concentrator(folder, *arguments):
    """A process that can be killed; it is ready when it says that it listens."""
    log = (folder / "log").open("w+b")
    command = [sys.executable, "-u", "-m", "meterway", "nnap", "nnap.toml", "--json", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=environment(folder))
    try:
        until(lambda: "listening" in (folder / "log").read_text() or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield process
    finally:
        process.kill()
        process.wait()
        log.close()


def kept(folder):
    """Of each meter, the quarter-hours that the head end has, by time."""
    found = {}
    with open_store(f"sqlite:///{folder / 'meterway.sqlite'}") as store:
        today = int(time.time() // 86400)
        for number in range(1, METERS + 1):
            device = store.devices.find(f"M{number:04d}")
            blocks = store.blocks.read_range(device.id, today - 3, today + 1) if device is not None else []
            found[number] = sorted(
                one.block.start_s + slot * one.block.interval_s
                for one in blocks
                for slot in range(one.block.slots)
                if all(channel.present[slot] for channel in one.block.channels)
            )
    return found


def reports(folder):
    """How many bulk reports were stored."""
    with open_store(f"sqlite:///{folder / 'meterway.sqlite'}") as store:
        device = store.devices.find("NNAP1")
        contacts = store.contacts.of_device(device.id, limit=500)
        return sum(one.kind == "bulk" and one.result == "ok" for one in contacts)


def asked(folder, *arguments):
    """What a command of the head end answers, asked again until it is done."""

    def ask():
        found = meterway(*arguments, "--config", "headend.toml", "--json", cwd=folder)
        answer = json.loads(found.stdout) if found.stdout else {}
        return answer if answer.get("ok") else None

    return until(ask)


def test_a_head_end_sees_no_gap_when_a_standby_takes_over(tmp_path):
    hub, wan = free_port(), free_port()
    a, b = settings(tmp_path, wan, hub)
    medium = (
        "neighbourhood",
        "--profile",
        "prime",
        "--port",
        str(hub),
        "--time-factor",
        "40",
        "--hops",
        "1",
        "--loss",
        "0",
        "--quiet",
        "--json",
    )
    with ExitStack() as live:
        live.enter_context(running(*medium, cwd=tmp_path, until="listening"))
        live.enter_context(running("meter", "meter.toml", "--json", cwd=tmp_path, until="network"))
        live.enter_context(running("headend", "headend.toml", "--json", cwd=tmp_path, until="push"))
        with concentrator(a) as primary:
            until(lambda: all(kept(tmp_path).values()))
            assert asked(tmp_path, "read", "NNAP1", "clock")["value"]
            done("nnap", "a/nnap.toml", "--copy-state", "b/nnap.sqlite", cwd=tmp_path)
            assert asked(tmp_path, "read", "M0001", "1-0:1.8.0")["value"]  # counters go on after the copy
            assert asked(tmp_path, "read", "NNAP1", "clock")["value"]
            before = kept(tmp_path)
            primary.send_signal(signal.SIGKILL)
            primary.wait()
        (b / "nnap.key").write_text((a / "nnap.key").read_text())
        (b / "nnap.key").chmod(0o600)
        told = reports(tmp_path)
        with concentrator(b, "--take-over"):
            until(lambda: reports(tmp_path) > told)
            assert asked(tmp_path, "read", "NNAP1", "clock")["value"]
            assert asked(tmp_path, "read", "M0002", "1-0:1.8.0")["value"]
            assert asked(tmp_path, "act", "M0003", "0-0:96.3.10", "remote_disconnect")["ok"]
            after = kept(tmp_path)
    for number, times in after.items():
        assert set(before[number]) <= set(times)
        assert times == list(range(times[0], times[-1] + 900, 900)), f"M{number:04d}: a quarter-hour is missing"
        assert len(times) >= 90
