"""Interval readings into the store and out again: packed blocks, and a row per value in SQLite beside them.

``python benchmarks/store_blocks.py`` prints the figures as JSON. Four channels of 96 quarter-hours a meter and day, as
a load profile has them (import, export of some, two reactive), 2 % of the meters with a gap; batches of 1000
meter-days. Both databases are files on the same disk in WAL mode with ``synchronous=FULL``; wall-clock time, so that
the disk counts.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np

from meterway.base.obis import Obis
from meterway.store.block import DAY_S, Batch, Column
from meterway.store.blocks import NewBlock
from meterway.store.database import Store, open_store
from meterway.store.devices import NewDevice
from meterway.store.packing import pack_many

METERS: Final = 1000
DAYS: Final = 30
PEER_METERS: Final = 100
CHANNELS: Final = 4
SLOTS: Final = 96
FIRST_DAY: Final = 20_000
READS: Final = 40
EVIDENCE: Final = b'{"contact":123456}'
COLUMNS: Final = tuple(Column(obis=Obis(1, 0, c, 29, 0), unit=30) for c in (1, 2, 3, 4))


def day(number: int, meters: int) -> Batch:
    """One day of so many meters, in Wh and varh a quarter of an hour."""
    rng = np.random.default_rng(number)
    hours = np.arange(SLOTS) / 4
    shape = 0.4 + np.exp(-((hours - 7.5) ** 2) / 4) + 1.6 * np.exp(-((hours - 19) ** 2) / 6)
    load = rng.gamma(2.0, 35.0, (meters, SLOTS)) * shape * rng.uniform(0.4, 2.0, (meters, 1))
    sun = np.clip(np.sin((hours - 6) / 12 * np.pi), 0, None) * 900 * rng.uniform(0.2, 1, (meters, SLOTS))
    roofs = np.arange(meters)[:, None] % 6 == 0
    surplus = np.where(roofs, np.clip(sun - load, 0, None), 0)
    values = np.stack([np.clip(load - sun * roofs, 0, None), surplus, load * 0.2, load * 0.03], axis=1).astype(np.int64)
    present = np.ones(values.shape, np.bool_)
    present[number % 50 :: 50, :, 30:54] = False
    starts = np.full(meters, (FIRST_DAY + number) * DAY_S)
    return Batch(interval_s=900, columns=COLUMNS, starts_s=starts, values=values, present=present)


def fill(store: Store, devices: list[int]) -> float:
    """Pack and store every day; the median over the days of values a second."""
    rates = []
    for number in range(DAYS):
        batch = day(number, len(devices))
        start = time.perf_counter()
        packed = pack_many(batch)
        store.blocks.upsert_many(
            [NewBlock(device=d, packed=p, evidence=EVIDENCE) for d, p in zip(devices, packed, strict=True)],
            now_ms=number,
        )
        rates.append(batch.values.size / (time.perf_counter() - start))
    return statistics.median(rates)


def peer_fill(connection: sqlite3.Connection, meters: int) -> float:
    """The same days, a row for every value that is there."""
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "CREATE TABLE reading (device INTEGER, channel INTEGER, time INTEGER, value INTEGER, quality INTEGER,"
        " evidence INTEGER, PRIMARY KEY (device, channel, time)) WITHOUT ROWID;"
    )
    rates = []
    for number in range(DAYS):
        batch = day(number, meters)
        start = time.perf_counter()
        present = np.ones(batch.values.shape, np.bool_) if batch.present is None else batch.present
        device, channel, slot = np.nonzero(present)
        times = batch.starts_s[device] + slot * batch.interval_s
        rows = zip(device.tolist(), channel.tolist(), times.tolist(), batch.values[present].tolist(), strict=True)
        with connection:
            connection.executemany(
                "INSERT INTO reading VALUES (?, ?, ?, ?, 0, 1) ON CONFLICT DO UPDATE SET value = excluded.value", rows
            )
        rates.append(batch.values.size / (time.perf_counter() - start))
    return statistics.median(rates)


def peer_month(connection: sqlite3.Connection, device: int) -> None:
    """One meter's month as arrays of times and values a channel."""
    rows = connection.execute(
        "SELECT channel, time, value, quality FROM reading WHERE device = ? AND time >= ? AND time < ?"
        " AND channel IN (0, 1, 2, 3)",
        (device, FIRST_DAY * DAY_S, (FIRST_DAY + DAYS) * DAY_S),
    ).fetchall()
    table = np.array(rows, dtype=np.int64)
    for channel in range(CHANNELS):
        table[table[:, 0] == channel]


def median_ms(work: Callable[[int], object], among: list[int]) -> float:
    """Median time of reading one meter, over different meters."""
    work(among[0])
    took = []
    for each in among[1 : READS + 1]:
        start = time.perf_counter()
        work(each)
        took.append((time.perf_counter() - start) * 1000)
    return statistics.median(took)


def size(folder: Path) -> int:
    """What lies on the disk."""
    return sum(path.stat().st_size for path in folder.iterdir())


def measure_ours(folder: Path) -> tuple[float, float, float]:
    """Values a second in, octets a value, milliseconds a month."""
    with open_store(f"sqlite:///{folder / 'store.db'}") as store:
        store.devices.add_many([NewDevice(serial=f"M{number:05}") for number in range(METERS)], now_ms=0)
        devices = [device.id for device in store.devices.all()]
        empty = size(folder)
        rate = fill(store, devices)
        month = median_ms(lambda device: store.blocks.read_range(device, FIRST_DAY, FIRST_DAY + DAYS), devices[::13])
    return rate, (size(folder) - empty) / (METERS * DAYS * CHANNELS * SLOTS), month


def measure_peer(folder: Path) -> tuple[float, float, float]:
    """The same of a row per value, with fewer meters a batch (it is no faster with more)."""
    with closing(sqlite3.connect(folder / "rows.db")) as connection:
        rate = peer_fill(connection, PEER_METERS)
        month = median_ms(lambda device: peer_month(connection, device), list(range(PEER_METERS)))
    return rate, size(folder) / (PEER_METERS * DAYS * CHANNELS * SLOTS), month


def measure() -> list[dict[str, Any]]:
    """The figures of this benchmark."""
    peer = "SQLite, a row per value"
    with tempfile.TemporaryDirectory() as ours_folder, tempfile.TemporaryDirectory() as peer_folder:
        ours, theirs = measure_ours(Path(ours_folder)), measure_peer(Path(peer_folder))
    rows = [
        ("interval values stored durably, batches of 1000 meter-days", "values/s", "higher", 10_000_000),
        ("size of an interval value on disk, key and evidence included", "B", "lower", 1.5),
        ("a meter's month of four channels, read and decoded", "ms", "lower", 2.0),
    ]
    return [
        {
            "name": name,
            "unit": unit,
            "better": better,
            "ours": round(mine, 3),
            "peers": {peer: round(its, 3)},
            "limit": limit,
        }
        for (name, unit, better, limit), mine, its in zip(rows, ours, theirs, strict=True)
    ]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
