"""One concentrator and its meters on the simulated PRIME-like medium: a night of reading.

``python benchmarks/nnap_night.py [METERS [SEED ...]]`` prints the figures as JSON. Everything but the medium is what
runs in earnest: PRIME stations, DLMS associations with HLS 5, SQLite. The medium loses 10 % of all transmissions over
three hops; the clock is virtual. All meters get their supply at once and join; 96 x 4 values of each are wanted within
six hours. From the time when half have joined, a meter is asked for a register every 20 s while bulk is read.
"""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

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
from meterway.stacks.dlms.client.script import Get, Script
from meterway.stacks.dlms.security.context import Keys as ApplicationKeys
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.store.vault import Vault

START: Final = 1_773_266_400.0
WINDOW_S: Final = 6 * 3600
LOAD: Final = Obis(1, 0, 99, 1, 0)
ENERGY: Final = AttributeDescriptor(3, Obis(1, 0, 1, 8, 0), 2)
TITLE: Final = b"MWYNNAP1"
BROADCAST_KEYS: Final = ApplicationKeys(bytes(range(16)), bytes(range(16, 32)))
EVERY_S: Final = 20.0


@dataclass
class Street:
    """A concentrator and its meters on a virtual clock."""

    meters: int
    seed: int
    parallel: int = 2
    profile: str = "idis"

    def __post_init__(self) -> None:
        self.network = SimulatedNeighbourhood(preset("prime", loss=0.10, hops=3, seed=self.seed), start=START)
        profile = PROFILES["prime"]
        self.store = Store(":memory:")
        self.ledger = Ledger(self.store, Vault(bytes(32)))
        rules = Rules(
            plan=PlanRules(every_s=WINDOW_S, parallel=self.parallel, first_days=1.25),
            read=ReadRules(profiles=(LOAD,), logs=(), registers=False),
            answer_s=120.0,
        )
        self.device = Concentrator(
            self.ledger.roll, profile.coordinator(b"CONCENTR", self.ledger.roll.admit), self.ledger, title=TITLE,
            rules=rules, counter=self.ledger.send_counter(at_least=0),
        )  # fmt: skip
        self.host = MeterNodes(self.network, lambda eui: profile.node(eui, b""))
        self.driver = Driver(self.device, self.network.join(0), self.network)
        self.driver.start()
        for number in range(1, self.meters + 1):
            self._add(number)

    def _add(self, number: int) -> None:
        serial = f"M{number:05d}"
        keys = Keys.derive(bytes(range(16)), serial)
        keys.gbek, keys.gbak = BROADCAST_KEYS.encryption, BROADCAST_KEYS.authentication
        config = MeterConfig(serial=serial, keys=keys, profile_days=3, installed=date(2026, 1, 1), country=self.profile)
        node = Node(
            eui=config.title, serial=serial, channel=number, title=config.title,
            keys=ApplicationKeys(keys.guek, keys.gak), profile=self.profile,
        )  # fmt: skip
        self.ledger.enlist_all([node], self.device, START)
        self.host.add(config, lambda: self.network.join(number))

    def run(self, seconds: float) -> None:
        self.network.run(self.network.now() + seconds)

    @property
    def airtime_s(self) -> float:
        return self.network.statistics.airtime_s

    @property
    def joined(self) -> int:
        return len(self.device.station.members)

    def values(self) -> int:
        """Rows of the 24 hours before the start that are here, times four."""
        first, last = START - 86400, START
        rows = (len(self.store.rows(number, LOAD, first + 1, last)) for number in range(1, self.meters + 1))
        return 4 * sum(rows)


def night(meters: int, seed: int) -> dict[str, Any]:
    """Read all meters once, with questions on demand in between."""
    began, draw = time.monotonic(), random.Random(seed)
    street = Street(meters, seed)
    waits: list[float] = []
    while street.network.now() < START + WINDOW_S:
        street.run(EVERY_S)
        unread = [node for node in street.ledger.roll if not node.turn.read_s]
        if not unread:
            break
        if street.joined >= meters / 2:
            _ask(street, draw, waits)
    asked = sum(wait != wait or wait >= 0 for wait in waits)
    return {
        "meters": meters,
        "seed": seed,
        "values": street.values() / (meters * 96 * 4),
        "after_s": round(street.network.now() - START),
        "on_demand": asked,
        "on_demand_p95_s": round(sorted(waits)[int(0.95 * (len(waits) - 1))], 1) if waits else None,
        "airtime": round(street.airtime_s / (street.network.now() - START), 2),
        "real_s": round(time.monotonic() - began, 1),
    }


def _ask(street: Street, draw: random.Random, waits: list[float]) -> None:
    """A register of a member, now; an answer that does not come counts as ten minutes."""
    node = draw.choice([node for node in street.ledger.roll if node.member is not None])
    place, asked = len(waits), street.network.now()
    waits.append(600.0)

    def script() -> Script[None]:
        answer = yield Get(ENERGY)
        if isinstance(answer, bytes):
            waits[place] = street.network.now() - asked

    street.driver.call(lambda device, now: device.ask(node, script(), lambda *_: None, now=now))


def measure() -> list[dict[str, Any]]:
    """For ``run.py``."""
    found = [night(300, seed) for seed in (1, 2, 3)]
    return [
        {"name": "300 meters, values within 6 h, worst of 3 seeds", "unit": "share", "better": "higher",
         "ours": min(one["values"] for one in found), "limit": 0.995},
        {"name": "300 meters, on demand while bulk runs, p95, worst of 3 seeds", "unit": "s", "better": "lower",
         "ours": max(one["on_demand_p95_s"] for one in found), "limit": 30.0},
        {"name": "300 meters, a night, real time, worst of 3 seeds", "unit": "s", "better": "lower",
         "ours": max(one["real_s"] for one in found), "limit": 60.0},
    ]  # fmt: skip


def main() -> None:
    meters = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    seeds = [int(word) for word in sys.argv[2:]] or [1, 2, 3]
    for seed in seeds:
        print(json.dumps(night(meters, seed)), flush=True)


if __name__ == "__main__":
    main()
