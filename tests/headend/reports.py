"""Bulk reports made by hand, and a head end's store that knows who sends them."""

from __future__ import annotations

import time
from typing import Any

from headend.headends import fleet_of
from meterway.headend.bulk import Bulk
from meterway.headend.neighbourhood import Neighbourhood
from meterway.model.report import Column, Node, Report, ReportEvent, Series
from meterway.store.database import Store
from meterway.store.devices import GATEWAY, NewDevice

DAY_S = 86400
LOAD, DAILY, LOG = "1-0:99.1.0*255", "1-0:98.2.0*255", "0-0:99.98.0*255"
COLUMNS = [
    Column(class_id=8, obis="0-0:1.0.0*255", attribute=2),
    Column(class_id=3, obis="1-0:1.8.0*255", attribute=2, unit=30),
    Column(class_id=3, obis="1-0:2.8.0*255", attribute=2, unit=30),
]


def title(number: int) -> str:
    return (b"MWY%05d" % number).hex()


def today() -> int:
    return int(time.time()) // DAY_S * DAY_S


def series(number: int, first: int, count: int, *, start: int = 100, profile: str = LOAD, **given: Any) -> Series:
    """Quarter-hours from ``first`` (Unix seconds), counting up."""
    times = [first + 900 * row for row in range(count)]
    values: list[Any] = [[None] * count, [start + row for row in range(count)], list(range(count))]
    wanted = {
        "serial": f"M{number}", "system_title": title(number), "profile": profile, "period_s": 900,
        "columns": COLUMNS, "times": times, "status": [0] * count, "values": values,
    }  # fmt: skip
    return Series(**(wanted | given))  # type: ignore[arg-type]


def report(name: str, *meters: Series, nnap: str = "N1", **given: Any) -> Report:
    now = int(time.time())
    wanted = {
        "id": f"report-{name}", "nnap": nnap, "system_title": title(0), "created": now, "from_": now - 900, "to": now,
        "meters": list(meters),
    }  # fmt: skip
    return Report(**(wanted | given))  # type: ignore[arg-type]


def node(number: int, **given: Any) -> Node:
    wanted = {
        "serial": f"M{number}", "system_title": title(number), "eui": title(number), "address": number,
        "state": "member", "heard": int(time.time()), "joined": 1000,
    }  # fmt: skip
    return Node(**(wanted | given))


def event(number: int, at: int, code: int = 7) -> ReportEvent:
    return ReportEvent(serial=f"M{number}", system_title=title(number), time=at, log=LOG, code=code, text="said so")


def known(store: Store, meters: int = 2) -> Bulk:
    """N1 and N2 in the registry, meters behind N1."""
    fleet = fleet_of(store)
    for number in (1, 2):
        store.devices.add(
            NewDevice(serial=f"N{number}", utility=GATEWAY, profile="nnap", host="h", port=number), now_ms=1
        )
    kept = Neighbourhood(store, fleet, set())
    bulk = Bulk(store, fleet, kept)
    bulk.store(report("first", topology=[node(each) for each in range(1, meters + 1)], created=1000), "N1", octets=1)
    return bulk
