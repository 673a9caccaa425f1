"""The programs of a neighbourhood as a person starts them: medium, meters, concentrator and head end, in one folder.

Their settings are the files that ``--write-config`` writes, with lines uncommented and changed as one would.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from click.testing import CliRunner

from command_line import environment
from meterway.cli import cli
from meterway.headend.hand_held import LocalPort, read_locally
from meterway.headend.local_reading import LocalReading
from meterway.meter.api import load_config
from meterway.store.database import open_store

METERS: Final = 9
"""The last of them stands two hops away, behind the first."""
FACTORS: Final = {"prime": 40, "s-fsk": 200, "g3": 40, "rf-mesh": 20}
"""How many times as fast each medium runs: about as fast as two cores follow."""
SLOW_CLOCK_S: Final = -45.0
NNAP: Final = "NNAP0001"
SERIALS: Final = tuple(f"M{number:04d}" for number in range(1, METERS + 1))
PROGRAMS: Final = ("neighbourhood", "meter", "nnap", "headend")
_READY: Final = {"neighbourhood": "listening", "meter": '"network"', "nnap": "listening", "headend": '"push"'}
_DAY_S: Final = 86400

Rows = dict[tuple[int, str], tuple[int, int]]
"""By time and column, value and quality."""


def edited(text: str, section: str = "", **values: object) -> str:
    """Settings with values given in a section, its head and lines uncommented where they were not."""
    lines, head = text.splitlines(), f"[{section}]"
    if section:
        at = next(number for number, line in enumerate(lines) if re.match(rf"(# )?{re.escape(head)}", line))
        lines[at] = head
        first = at + 1
    else:
        first = 0
    for name, value in values.items():
        end = next((n for n in range(first, len(lines)) if re.match(r"(# )?\[", lines[n])), len(lines))
        written = f"{name} = {json.dumps(value)}"
        known = (number for number in range(first, end) if re.match(rf"(# )?{name} = ", lines[number]))
        place = next(known, None)
        lines[first:first] = [] if place is not None else [written]
        if place is not None:
            lines[place] = written
    return "\n".join(lines) + "\n"


def command(*arguments: str) -> str:
    """What a command of the command line prints; it runs in this process, which is quicker."""
    done = CliRunner().invoke(cli, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now."""
    taken = [socket.socket() for _ in range(count)]
    for one in taken:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return ports


def free_row(count: int) -> int:
    """The first of so many ports in a row that nobody has now; below those that a system gives out by itself."""
    for _ in range(100):
        first = random.randrange(20_000, 30_000)
        with ExitStack() as taken:
            try:
                for port in range(first, first + count):
                    taken.enter_context(closing(socket.socket())).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError(f"there are no {count} free ports in a row")


def until(what: Callable[[], Any], seconds: float = 120.0) -> Any:
    """What it gives once it is something, and no refusal of the API."""
    end = time.monotonic() + seconds
    while not (found := what()) or (isinstance(found, dict) and not found.get("ok", True)):
        assert time.monotonic() < end, f"it did not come within {seconds:g} s; last: {found!r}"
        time.sleep(0.1)
    return found


class Programs:
    """The four, by name; a name's program is started, ended in order or killed, and started again."""

    def __init__(self, folder: Path, profile: str) -> None:
        self.folder = folder
        self.profile = profile
        self.hub, self.wan, self.web, self.calls = free_ports(4)
        self.local = free_row(METERS)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.token = ""

    # -- settings ---------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """All settings, and the registry."""
        factor: dict[str, Any] = {"port": self.hub, "profile": self.profile, "time_factor": FACTORS[self.profile]}
        self._write_meters(factor)
        self._write_nnap(factor)
        self._write_headend()
        (self.folder / "all.csv").write_text(command("nnap", self._file("nnap"), "--csv", "operator"))
        for name in ("headend", "beside"):
            command("import", str(self.folder / "all.csv"), "--config", self._file(name))

    def _write_meters(self, network: dict[str, Any]) -> None:
        installed = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 2 * _DAY_S))
        text = re.sub(r"(?m)^(guek|gak|kek|lls) = .*\n", "", self._sample("meter"))
        text = re.sub(r"(?m)^installed = .*", f"installed = {installed}", text)
        text = edited(text, secret=os.urandom(16).hex())
        text = edited(text, "[meter]", serial=SERIALS[0], count=METERS, clock_offset_s=SLOW_CLOCK_S)
        text = edited(text, "[listen]", port=self.local, transport="hdlc", is_local=True)
        text = edited(text, "network", spread_s=0.5, hold_s=1.0, **network)
        self._keep("meter", text)

    def _write_nnap(self, network: dict[str, Any]) -> None:
        self._keep("headend", self._sample("headend"))
        self._keep("headend", edited(self._read("headend"), "bulk", tokens="nnap.tokens"))
        token = command("headend", self._file("headend"), "--new-nnap-token", NNAP).strip()
        text = edited(self._sample("nnap"), serial=NNAP)
        text = edited(text, "wan", port=self.wan)
        text = edited(text, "network", retry_s=0.5, routes_s=1.0, **network)
        text = edited(text, "plan", every_s=5.0, answer_s=20.0, parallel=METERS)
        url = f"http://127.0.0.1:{self.web}/g2/reports"
        text = edited(text, "report", url=url, token=token, every_s=1.0, retry_s=0.5)
        text = edited(text, "wake", host="127.0.0.1", port=self.calls, party="operator", retry_s=1.0, listen_port=0)
        self._keep("nnap", text + command("meter", self._file("meter"), "--white-list"))

    def _write_headend(self) -> None:
        text = edited(self._read("headend"), "web", port=self.web, tokens="tokens")
        text = edited(text, "push", port=0)
        text = edited(text, "collect", every_s=3600.0, history_days=2, retry_first_s=1.0)
        text = edited(text, "neighbourhood", response_timeout_s=20.0)
        text = edited(text, "calls", enabled=True, port=self.calls)
        self._keep("headend", text)
        self.token = command("headend", self._file("headend"), "--new-token", "test").strip()
        self._keep("beside", edited(self._read("headend"), store="beside.sqlite"))

    def _sample(self, entity: str) -> str:
        return command(entity, "--write-config")

    def _file(self, name: str) -> str:
        return str(self.folder / f"{name}.toml")

    def _read(self, name: str) -> str:
        return Path(self._file(name)).read_text()

    def _keep(self, name: str, text: str) -> None:
        Path(self._file(name)).write_text(text)

    # -- processes --------------------------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """Start them at once, and wait until each says that it is ready."""
        begun = {name: self._begin(name) for name in names}
        for name, place in begun.items():
            until(lambda name=name, place=place: self._is_ready(name, place))

    def _begin(self, name: str) -> int:
        medium = ("--profile", self.profile, "--hops", "2", "--time-factor", str(FACTORS[self.profile]), "--quiet")
        arguments = (*medium, "--port", str(self.hub)) if name == "neighbourhood" else (f"{name}.toml",)
        log = self.folder / f"{name}.log"
        with log.open("ab") as out:
            place = out.tell()
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-u", "-m", "meterway", name, *arguments, "--json"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment(self.folder),
            )
        return place

    def _is_ready(self, name: str, place: int) -> bool:
        said = self.said(name)[place:]
        assert self.processes[name].poll() is None, f"{name} ended: {said}"
        return _READY[name] in said

    def said(self, name: str) -> str:
        """All that a program wrote so far."""
        return (self.folder / f"{name}.log").read_text()

    def runs(self, name: str) -> bool:
        """Whether a program was started and has not ended."""
        return name in self.processes and self.processes[name].poll() is None

    def kill(self, name: str) -> None:
        """As a power cut does."""
        self.processes[name].kill()
        self.processes[name].wait(10)

    def end(self, name: str) -> int:
        """As its terminal does; its exit status."""
        self.processes[name].send_signal(signal.SIGINT)
        return self.processes[name].wait(30)

    # -- the head end -----------------------------------------------------------------------------------------------

    def ask(self, path: str, body: dict[str, Any] | None = None, *, method: str = "POST") -> Any:
        """What the head end's API answers; refusals too, in its words."""
        data = None if body is None else json.dumps(body).encode()
        asked = Request(f"http://127.0.0.1:{self.web}/api/v1/{path}", data=data, method=method)
        asked.add_header("Authorization", f"Bearer {self.token}")
        asked.add_header("Content-Type", "application/json")
        try:
            with urlopen(asked, timeout=60) as answer:
                return json.loads(answer.read())
        except HTTPError as error:
            return {"ok": False, "error": error.read().decode()}
        except (URLError, ConnectionError) as error:
            return {"ok": False, "error": str(error)}

    def look(self, path: str) -> Any:
        """The same for what only shows."""
        return self.ask(path, method="GET")

    def nodes(self) -> list[list[Any]]:
        """The concentrator's node table as it tells it."""
        return self.ask(f"meters/{NNAP}/read", {"object": "0-0:128.5.0", "class_id": 1}).get("value") or []

    def events(self, serial: str) -> list[dict[str, Any]]:
        """What the head end has of a device's events."""
        found = self.look(f"events?serial={serial}&limit=1000")
        return found if isinstance(found, list) else []

    # -- the meters -------------------------------------------------------------------------------------------------

    def at_the_meter(self, serial: str) -> LocalReading:
        """What a meter says itself at its local port, of the last days."""
        number = SERIALS.index(serial)
        known = load_config(Path(self._file("meter"))).meters[number]
        place = LocalPort(host="127.0.0.1", port=self.local + number, password=known.keys.lls)
        now = time.time()
        return asyncio.run(read_locally(place, who="test", from_s=now - 5 * _DAY_S, to_s=now))

    def told_at_the_meter(self, serial: str) -> Rows:
        """The rows of its load profile, as a hand-held took them to a store that gets nothing else."""
        reading = self.at_the_meter(serial)
        file = self.folder / f"{serial}-{reading.digest[:16]}.local"
        file.write_bytes(reading.encode())
        command("local", "take", str(file), "--config", self._file("beside"))
        return self._rows("beside.sqlite", serial)

    def collected(self, serial: str) -> Rows:
        """The rows of its load profile that the head end has."""
        return self._rows("meterway.sqlite", serial)

    def logged_at_the_meter(self, serial: str) -> set[tuple[str, int, int]]:
        """The events of its logs, of what was taken to the other store last: log, code, time."""
        return self._logged("beside.sqlite", serial)

    def logged(self, serial: str) -> set[tuple[str, int, int]]:
        """The same of the head end; nothing is there twice."""
        return self._logged("meterway.sqlite", serial)

    def _logged(self, store: str, serial: str) -> set[tuple[str, int, int]]:
        kept = open_store(f"sqlite:///{self.folder / store}")
        try:
            found = kept.events.of_device(kept.devices.by_serial(serial).id, limit=1000)
        finally:
            kept.close()
        logged = [(event.log, event.code, event.time_ms) for event in found if event.log.startswith("0-0:99.98.")]
        assert len(set(logged)) == len(logged)
        return set(logged)

    def _rows(self, store: str, serial: str) -> Rows:
        kept = open_store(f"sqlite:///{self.folder / store}")
        try:
            device = kept.devices.by_serial(serial).id
            today = int(time.time() // _DAY_S)
            blocks = kept.blocks.read_range(device, today - 3, today + 1)
        finally:
            kept.close()
        return {
            (int(at), str(channel.column)): (int(value), int(quality))
            for block in (one.block for one in blocks)
            for channel in block.channels
            for at, value, quality, there in zip(
                block.times_s, channel.values, channel.quality, channel.present, strict=True
            )
            if there
        }
