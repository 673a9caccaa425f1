"""A town of concentrators, each with its own simulated neighbourhood full of meters: real time, CPU and memory.

    python benchmarks/nnap_town.py [--nnaps 200] [--meters 300] [--profile prime] [--workers 2] [--json]

Every concentrator reads the last day of all its meters ahead, in the store-and-forward mode. Everything but the medium
is what runs in earnest: stations of the profile, DLMS associations with HLS 5, SQLite (in memory, or ``--on-disk``).
Each neighbourhood has a virtual clock of its own; in one process they take turns of five simulated minutes until the
last meter is read, and all of them stay in memory until then. Worker processes share the concentrators out and share
nothing else.

The medium loses 10 % of all transmissions over three hops, as in ``nnap_night``; ``--loss`` and ``--hops`` change it.
Octets of a meter are what the processes grew by, divided: its side and the concentrator's, the medium, the clock, and
the day's rows in SQLite.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from queue import Empty
from tempfile import TemporaryDirectory
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from meterway.base.obis import Obis
from meterway.links.medium.neighbourhood import SimulatedNeighbourhood, preset
from meterway.meter.api import Keys, MeterConfig
from meterway.meter.nodes import MeterNodes
from meterway.nnap.device import Concentrator, Rules
from meterway.nnap.driver import Driver
from meterway.nnap.ledger import Ledger
from meterway.nnap.node import Node
from meterway.nnap.plan import PlanRules
from meterway.nnap.reading import ReadRules
from meterway.nnap.store import Store
from meterway.stacks.dlms.security.context import Keys as ApplicationKeys
from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.store.vault import Vault

START: Final = 1_773_266_400.0
TURN_S: Final = 300.0
DAY_S: Final = 86400
ROWS: Final = 96
VALUES: Final = 4
LOAD: Final = Obis(1, 0, 99, 1, 0)
TITLE: Final = b"MWYNNAP1"
SECRET: Final = bytes(range(16))
VALUE_CLASSES: Final = (3, 4, 5)

Told = Callable[[int], None]
"""Told how many more meters have been read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be measured; ``hours`` is how long a concentrator has, ``seed`` that of the first.

    ``on_disk``: each concentrator has its file, as in earnest, and waits for the disk at every commit.
    """

    nnaps: int = 4
    meters: int = 25
    profile: str = "prime"
    loss: float = 0.10
    hops: int = 3
    parallel: int = 2
    hours: float = 6.0
    seed: int = 1
    on_disk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one process did. ``values`` of ``wanted`` are there; ``hours`` is the longest of its clocks."""

    joined: int = 0
    read: int = 0
    values: int = 0
    wanted: int = 0
    hours: float = 0.0
    transmissions: int = 0
    cpu_s: float = 0.0
    peak: int = 0
    grown_joined: int = 0
    grown: int = 0


@dataclass
class Neighbourhood:
    """A concentrator and its meters on a virtual clock; ``number`` tells it from the others of the town."""

    task: Task
    number: int
    folder: str = ""
    host: MeterNodes = field(init=False)

    def __post_init__(self) -> None:
        task, profile = self.task, PROFILES[self.task.profile]
        medium = preset(task.profile, loss=task.loss, hops=task.hops, seed=task.seed + self.number)
        self.network = SimulatedNeighbourhood(medium, start=START)
        self.store = Store(Path(self.folder) / f"{self.number}.sqlite" if self.folder else ":memory:")
        self.ledger = Ledger(self.store, Vault(bytes(32)))
        rules = Rules(
            mode="store",
            plan=PlanRules(every_s=DAY_S, parallel=task.parallel, first_days=1.25),
            read=ReadRules(profiles=(LOAD,), logs=(), registers=False),
            answer_s=120.0,
        )
        eui = b"NN" + self.number.to_bytes(6, "big")
        self.device = Concentrator(
            self.ledger.roll, profile.coordinator(eui, self.ledger.roll.admit), self.ledger, title=TITLE, rules=rules,
            counter=self.ledger.send_counter(at_least=0),
        )  # fmt: skip
        self.host = MeterNodes(self.network, lambda eui: profile.node(eui, joining_key(eui)))
        self.driver = Driver(self.device, self.network.join(0), self.network)
        self.driver.start()
        for place in range(1, task.meters + 1):
            self._add(place)

    def _add(self, place: int) -> None:
        serial = f"T{self.number:04d}{place:04d}"
        keys = Keys.derive(SECRET, serial)
        config = MeterConfig(serial=serial, keys=keys, profile_days=3, installed=date(2026, 1, 1))
        node = Node(
            eui=config.title, serial=serial, channel=place, title=config.title, key=joining_key(config.title),
            keys=ApplicationKeys(keys.guek, keys.gak),
        )  # fmt: skip
        self.ledger.enlist_all([node], self.device, START)
        self.host.add(config, lambda: self.network.join(place))

    @property
    def hours(self) -> float:
        """How long its clock has run."""
        return (self.network.now() - START) / 3600

    @property
    def joined(self) -> int:
        """How many meters are on the network."""
        return len(self.device.station.members)

    @property
    def read(self) -> int:
        """How many meters have been read to the end."""
        return sum(node.turn.read_s > 0 for node in self.ledger.roll)

    @property
    def is_done(self) -> bool:
        """Whether all has been read, or its time is over."""
        return self.read == self.task.meters or self.hours >= self.task.hours

    def turn(self) -> None:
        """Let its clock run a little."""
        until = min(self.network.now() + TURN_S, START + 3600 * self.task.hours)
        self.network.run(until)
        self.ledger.flush(self.device)

    def values(self) -> int:
        """Values of the 24 hours before the start that are in the store."""
        total = 0
        for place, node in self.ledger.roll.channels.items():
            series = node.mirror.series.get(LOAD)
            columns = () if series is None else series.columns
            each = sum(column.class_id in VALUE_CLASSES for column in columns)
            total += each * len(self.store.rows(place, LOAD, START - DAY_S + 1, START))
        return total


def joining_key(eui: bytes) -> bytes:
    """The key by which a device joins a network that asks for one."""
    return sha256(SECRET + eui).digest()[:16]


def resident() -> int:
    """Octets of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak() -> int:
    """The most octets of memory that this process ever had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def run_part(task: Task, numbers: list[int], told: Told = lambda _: None) -> Part:
    """Build some of the concentrators, have everybody join and be read, in this process."""
    warm_up(task)
    began, before = time.process_time(), resident()
    with TemporaryDirectory(prefix="nnap-town-") as folder:
        town = [Neighbourhood(task, number, folder if task.on_disk else "") for number in numbers]
        grown_joined = run(town, told, before)
        part = Part(
            joined=sum(one.joined for one in town),
            read=sum(one.read for one in town),
            values=sum(one.values() for one in town),
            wanted=len(town) * task.meters * ROWS * VALUES,
            hours=max(one.hours for one in town),
            transmissions=sum(one.network.statistics.transmissions for one in town),
            cpu_s=time.process_time() - began,
            peak=peak(),
            grown_joined=grown_joined,
            grown=resident() - before,
        )
        for one in town:
            one.store.close()
    return part


def run(town: list[Neighbourhood], told: Told, before: int) -> int:
    """Take turns until all are done; by how much the process had grown when everybody had joined (0: never)."""
    grown, running = 0, town
    while running:
        for one in running:
            read = one.read
            one.turn()
            if one.read != read:
                told(one.read - read)
        if not grown and all(one.joined == one.task.meters for one in town):
            grown = resident() - before
        running = [one for one in running if not one.is_done]
    return grown


def warm_up(task: Task) -> None:
    """Have everything loaded that is there once, however many meters there are."""
    one = Neighbourhood(replace(task, meters=2), task.nnaps)
    while not one.is_done:
        one.turn()


# -- several processes ------------------------------------------------------------------------------------


_queue: Any = None


def _begin(queue: Any) -> None:
    global _queue
    _queue = queue


def _part(task: Task, numbers: list[int]) -> Part:
    return run_part(task, numbers, _queue.put)


def run_town(task: Task, workers: int, told: Told = lambda _: None) -> list[Part]:
    """All concentrators, over so many processes; in this one if it is one."""
    shares = [list(range(first, task.nnaps, workers)) for first in range(min(workers, task.nnaps))]
    if len(shares) == 1:
        return [run_part(task, shares[0], told)]
    fresh = multiprocessing.get_context("spawn")
    queue = fresh.Queue()
    with ProcessPoolExecutor(len(shares), mp_context=fresh, initializer=_begin, initargs=(queue,)) as pool:
        waiting = [pool.submit(_part, task, share) for share in shares]
        while not all(one.done() for one in waiting):
            try:
                told(queue.get(timeout=0.5))
            except Empty:
                continue
        return [one.result() for one in waiting]


def summary(task: Task, parts: list[Part], real_s: float) -> dict[str, Any]:
    """The figures of a run."""
    meters = task.nnaps * task.meters
    values, wanted = sum(part.values for part in parts), sum(part.wanted for part in parts)
    cpu_s = sum(part.cpu_s for part in parts)
    return {
        "profile": task.profile,
        "nnaps": task.nnaps,
        "meters": meters,
        "processes": len(parts),
        "joined": sum(part.joined for part in parts),
        "read": sum(part.read for part in parts),
        "values": values,
        "complete": values / wanted if wanted else 0.0,
        "simulated_h": round(max(part.hours for part in parts), 2),
        "transmissions": sum(part.transmissions for part in parts),
        "real_s": round(real_s, 1),
        "cpu_s": round(cpu_s, 1),
        "cpu_ms_per_meter": round(1000 * cpu_s / meters, 2),
        "peak_rss_mib": round(sum(part.peak for part in parts) / 2**20),
        "octets_per_meter_all_joined": round(sum(part.grown_joined for part in parts) / meters),
        "octets_per_meter": round(sum(part.grown for part in parts) / meters),
        "load_15min": round(os.getloadavg()[2], 1),
    }


def measured(task: Task, workers: int, *, shows: bool = False) -> dict[str, Any]:
    """Run a town and say what it took; a bar on standard error if it ``shows`` one."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) if shows else nullcontext() as bar:
        told: Told = lambda _: None  # noqa: E731
        if bar is not None:
            line = bar.add_task("meters read", total=task.nnaps * task.meters)
            told = lambda more: bar.advance(line, more)  # noqa: E731
        parts = run_town(task, workers, told)
    return summary(task, parts, time.monotonic() - began)


def measure() -> list[dict[str, Any]]:
    """For ``run.py``: a small town in one process."""
    found = measured(Task(nnaps=4, meters=50), 1)
    name = f"{found['nnaps']} concentrators, {found['meters']} meters"
    return [
        {"name": f"{name}: values of a day that are in", "unit": "share", "better": "higher",
         "ours": found["complete"], "limit": 0.995},
        {"name": f"{name}: CPU for a meter to join and be read", "unit": "ms", "better": "lower",
         "ours": found["cpu_ms_per_meter"]},
        {"name": f"{name}: memory of a meter, both sides, with its day", "unit": "octets", "better": "lower",
         "ours": found["octets_per_meter"]},
    ]  # fmt: skip


def asked() -> tuple[Task, int, bool]:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="A town of concentrators with their meters on virtual clocks.")
    usual = Task()
    parser.add_argument("--nnaps", type=int, default=usual.nnaps)
    parser.add_argument("--meters", type=int, default=usual.meters, help="of each concentrator")
    parser.add_argument("--profile", choices=sorted(PROFILES), default=usual.profile)
    parser.add_argument("--loss", type=float, default=usual.loss, help="of each transmission")
    parser.add_argument("--hops", type=int, default=usual.hops)
    parser.add_argument("--parallel", type=int, default=usual.parallel, help="bulk conversations at once")
    parser.add_argument("--hours", type=float, default=usual.hours, help="simulated, at most")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--on-disk", action="store_true", help="a file for each concentrator, not memory")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = vars(parser.parse_args())
    workers, as_json = given.pop("workers"), given.pop("json")
    return Task(**given), max(workers, 1), as_json


def main() -> None:
    """Run what was asked for."""
    task, workers, as_json = asked()
    found = measured(task, workers, shows=sys.stderr.isatty())
    if as_json:
        print(json.dumps(found))
        return
    for name, figure in found.items():
        print(f"{name.replace('_', ' '):<26}{figure:,}" if not isinstance(figure, str) else f"{name:<26}{figure}")


if __name__ == "__main__":
    main()
