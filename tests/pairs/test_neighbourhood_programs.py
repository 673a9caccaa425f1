"""Medium, meters, concentrator and head end, each a program of its own, on every profile: used, and killed.

What the head end has is held against what the meters say at their local ports. Medium and stations run faster than real
ones would (``time_factor``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from pairs.neighbourhood_programs import FACTORS, METERS, PROGRAMS, SERIALS, SLOW_CLOCK_S, Programs, until

EUI, STATE, PARENT, HOPS = 2, 3, 5, 6
MEMBER: Final = 0
"""Places of a row of the node table, and a state."""
ENERGY: Final = {"object": "1-0:1.8.0"}
SWITCH: Final = {"object": "0-0:96.3.10", "class_id": 70}
DAY_ROWS: Final = 4 * 24
LATE: Final = 3
"""Intervals of the last day that may not be there yet, or not any more when the meter is asked."""
KILLED: Final = {"prime": "neighbourhood", "s-fsk": "headend", "g3": "nnap", "rf-mesh": "meter"}


@contextmanager
def programs(folder: Path, profile: str) -> Iterator[Programs]:
    """All settings are there; nothing runs yet. In the end everything that runs is ended as a person would."""
    live = Programs(folder, profile)
    live.write()
    try:
        yield live
        ends = {name: live.end(name) for name in reversed(PROGRAMS) if live.runs(name)}
        assert set(ends.values()) == {0}, ends
    finally:
        for name in PROGRAMS:
            if live.runs(name):
                live.kill(name)
    said = {name: live.said(name) for name in PROGRAMS}
    assert not [name for name, text in said.items() if "Traceback" in text], said


def joined(live: Programs) -> list[list[Any]]:
    """The node table once all are members and have their routes."""
    table = live.nodes()
    return table if len(table) == METERS and all(row[STATE] == MEMBER and row[HOPS] for row in table) else []


def read(live: Programs, serial: str, **wanted: object) -> Callable[[], dict[str, Any]]:
    """A question to be asked until the answer is one."""
    return lambda: live.ask(f"meters/{serial}/read", wanted)  # type: ignore[no-any-return]


def none_of(missing: set[Any]) -> dict[str, Any]:
    """Something to wait for that says what is missing."""
    return {"ok": not missing, "missing": missing}


@pytest.mark.parametrize("profile", FACTORS)
@pytest.mark.covers("IF-C", "IF-G2", "E-NNAP", "UC-BI-01", "UC-BI-02", "UC-BI-05", "UC-EV-02", "F4a", "E-HES-5")
def test_the_programs_take_every_use_case_and_come_back_when_one_is_killed(tmp_path: Path, profile: str) -> None:
    with programs(tmp_path, profile) as live:
        live.start("neighbourhood")
        live.start("meter", "nnap", "headend")
        they_join(live)
        if KILLED[profile] == "nnap":
            killed_in_mid_collection(live)
        collected_on_schedule(live)
        read_and_switched(live)
        KILL[KILLED[profile]](live)
        nothing_is_lost_or_doubled(live)
        last_gasps_arrive(live)


# -- use cases --------------------------------------------------------------------------------------------------------


def they_join(live: Programs) -> None:
    table = until(lambda: joined(live))
    by_serial = {row[0]: row for row in table}
    assert by_serial["M0009"][HOPS] == 2
    assert by_serial["M0001"][PARENT] == ""


def collected_on_schedule(live: Programs) -> None:
    """Reports bring the load profiles, the clocks were set, and the mirrors have the registers."""
    for serial in SERIALS:
        until(lambda serial=serial: len(live.collected(serial)) >= 4 * (DAY_ROWS - LATE))
        mirrored = until(lambda serial=serial: whole(read(live, serial, **ENERGY, way="mirror")()))
        assert mirrored["age_s"] < 120
    reading = live.at_the_meter("M0002")
    assert abs(reading.clock_offset_s) < 3.0 < abs(SLOW_CLOCK_S), "the concentrator has set it"


def whole(answer: dict[str, Any]) -> dict[str, Any]:
    """A mirror has values from the first reading on, and an age from when that was whole."""
    return answer if answer.get("age_s") is not None else {"ok": False, "answer": answer}


def read_and_switched(live: Programs) -> None:
    mirrored = until(read(live, "M0001", **ENERGY, way="mirror"))
    for serial in ("M0001", "M0009"):
        assert until(read(live, serial, **ENERGY))["age_s"] is None
    direct = until(read(live, "M0001", **ENERGY))
    assert 0 <= direct["value"] - mirrored["value"] < 1000
    off = live.ask("meters/M0009/act", {**SWITCH, "method": "remote_disconnect"})
    assert off["ok"], off
    assert until(read(live, "M0009", **SWITCH, attribute="output_state"))["value"] is False
    assert live.ask("meters/M0001/set", {"object": "clock", "value": "now"})["ok"]


def nothing_is_lost_or_doubled(live: Programs) -> None:
    """What the head end has is what the meters say, row by row and event by event, and all of the last day."""
    for serial in ("M0001", "M0009"):
        told = live.told_at_the_meter(serial)
        rows = live.collected(serial)
        assert {key: value for key, value in rows.items() if told.get(key) != value} == {}
        first = min(at for at, _ in rows)
        due = {key for key in told if first <= key[0] <= time.time() - LATE * 900}
        assert due <= set(rows)
        assert len(due) >= 4 * (DAY_ROWS - LATE)
        wanted = {event for event in live.logged_at_the_meter(serial) if event[2] >= 1000 * first}
        assert wanted
        until(lambda serial=serial, wanted=wanted: none_of(wanted - live.logged(serial)))


def last_gasps_arrive(live: Programs) -> None:
    """All meters lose their supply at once: what each says then is an event, once."""
    before = {serial: gasps(live, serial) for serial in SERIALS}
    assert live.end("meter") == 0
    for serial in SERIALS:
        until(lambda serial=serial: gasps(live, serial) > before[serial])
        assert gasps(live, serial) == before[serial] + 1


def gasps(live: Programs, serial: str) -> int:
    return sum(event["source"] == "push" for event in live.events(serial))


# -- what is killed ---------------------------------------------------------------------------------------------------


def hub_killed(live: Programs) -> None:
    live.kill("neighbourhood")
    until(lambda: "network:" in live.said("nnap"))
    live.start("neighbourhood")
    until(lambda: joined(live))
    until(read(live, "M0009", **ENERGY))


def meters_killed(live: Programs) -> None:
    """A switch stays as it was ordered, even if the supply goes right after."""
    off = live.ask("meters/M0001/act", {**SWITCH, "method": "remote_disconnect"})
    assert off["ok"], off
    live.kill("meter")
    live.start("meter")
    assert until(read(live, "M0001", **SWITCH, attribute="output_state"))["value"] is False
    assert abs(live.at_the_meter("M0002").clock_offset_s) < 3.0


def killed_in_mid_collection(live: Programs) -> None:
    until(lambda: any(live.collected(serial) for serial in SERIALS))
    live.kill("nnap")
    live.start("nnap")
    until(lambda: joined(live))


def concentrator_killed(live: Programs) -> None:
    """It was in mid-collection."""


def head_end_killed(live: Programs) -> None:
    """What happens meanwhile is there afterwards."""
    live.kill("headend")
    live.at_the_meter("M0001")
    live.start("headend")


KILL: Final[dict[str, Callable[[Programs], None]]] = {
    "neighbourhood": hub_killed, "meter": meters_killed, "nnap": concentrator_killed, "headend": head_end_killed,
}  # fmt: skip
