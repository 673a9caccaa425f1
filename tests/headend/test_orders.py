"""Orders to groups against real virtual meters behind a concentrator on sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headend.nnap_double import Double, living, meter
from meterway.base.errors import ConfigError, LinkError
from meterway.headend.broadcast import states
from meterway.headend.groups import Group, OrderWanted, keep
from meterway.headend.orders import OrderReport
from meterway.headend.serve import HeadEnd

pytestmark = pytest.mark.covers("F4f", "E-HES-13", "E-HES-4", "UC-DR-05")


def meet(tmp_path: Path, work: Callable[[HeadEnd], Coroutine[Any, Any, None]], double: Double) -> None:
    async def run() -> None:
        async with living(tmp_path, double) as head:
            await head.collect_now(double.nnap.serial)
            keep(head.store, Group(name="street", nnaps=(double.nnap.serial,)))
            await work(head)

    asyncio.run(run())


async def ended(head: HeadEnd, report: OrderReport) -> OrderReport:
    async with asyncio.timeout(60):
        while (now := head.orders.report(report.id)).state in ("waiting", "running"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return now


def test_one_broadcast_disconnects_all_and_a_sample_confirms_it(tmp_path: Path) -> None:
    double = Double("N1", *(meter(f"M{number}") for number in range(4)))

    async def work(head: HeadEnd) -> None:
        begun = await head.orders.begin("street", OrderWanted(kind="disconnect", sample=3), actor="anna")
        assert begun.parts[0].way == "broadcast"
        done = await ended(head, begun)
        (part,) = done.parts
        assert (done.state, part.state, part.sampled, part.confirmed) == ("done", "done", 3, 3)
        assert 0 < part.failed_at_most < 1
        assert len(double.nnap.orders) == 1
        rows = [row for row in head.store.audit.recent(limit=20) if row.action == "group disconnect"]
        assert [(row.actor, row.result) for row in rows] == [("anna", "done"), ("anna", "asked")]
        everyone = await head.orders.begin("street", OrderWanted(kind="reconnect"), actor="anna")
        (part,) = (await ended(head, everyone)).parts
        assert (part.sampled, part.confirmed, part.failed_at_most) == (4, 4, 0.0)

    meet(tmp_path, work, double)


def test_meters_that_did_not_hear_it_are_found_and_named(tmp_path: Path) -> None:
    double = Double("N1", *(meter(f"M{number}") for number in range(3)))
    double.deaf = {"M1"}

    async def work(head: HeadEnd) -> None:
        begun = await head.orders.begin("street", OrderWanted(kind="disconnect"), actor="anna")
        (part,) = (await ended(head, begun)).parts
        assert (part.sampled, part.confirmed) == (3, 2)
        assert part.devices["M1"].startswith("not done")
        assert part.failed_at_most > 1 / 3

    meet(tmp_path, work, double)


def test_a_part_of_a_street_is_ordered_one_by_one(tmp_path: Path) -> None:
    double = Double("N1", *(meter(f"M{number}") for number in range(3)))

    async def work(head: HeadEnd) -> None:
        keep(head.store, Group(name="some", meters=("M0", "M2")))
        begun = await head.orders.begin("some", OrderWanted(kind="disconnect"), actor="anna")
        done = await ended(head, begun)
        (part,) = done.parts
        assert (part.way, part.why) == ("one by one", "other meters would hear it too")
        assert part.devices == {"M0": "confirmed", "M2": "confirmed"}
        assert (part.confirmed, part.failed_at_most) == (2, 0.0)
        assert double.nnap.orders == {}
        other = await head.orders.begin("street", OrderWanted(kind="reconnect", dry_run=True), actor="anna")
        assert (other.state, other.parts[0].way) == ("planned", "broadcast")
        assert double.nnap.orders == {}
        with pytest.raises(ConfigError):
            head.orders.report(other.id)

    meet(tmp_path, work, double)


def test_an_order_that_cannot_be_done_in_time_expires(tmp_path: Path) -> None:
    double = Double("N1", meter("M0"))

    async def work(head: HeadEnd) -> None:
        keep(head.store, Group(name="late", meters=("M0",)))
        wanted = OrderWanted(kind="clock", not_before=time.time() + 50, expires=time.time() + 51)
        begun = await head.orders.begin("late", wanted, actor="anna")
        assert begun.state == "running"
        await head.orders.stop()
        assert head.orders.report(begun.id).state == "interrupted"
        soon = OrderWanted(kind="clock", not_before=time.time() + 0.5, expires=time.time() + 0.6)
        begun = await head.orders.begin("late", soon, actor="anna")
        assert (await ended(head, begun)).state in ("expired", "done")

    meet(tmp_path, work, double)


def test_what_cannot_be_ordered_is_refused_before_anything_happens(tmp_path: Path) -> None:
    double = Double("N1", meter("M0"))

    async def work(head: HeadEnd) -> None:
        for group, wanted in (
            ("nobody", OrderWanted(kind="disconnect")),
            ("street", OrderWanted(kind="disconnect", expires=1.0)),
            ("street", OrderWanted(kind="emergency")),
        ):
            with pytest.raises(ConfigError):
                await head.orders.begin(group, wanted, actor="anna")
        assert head.orders.recent() == []

    meet(tmp_path, work, double)


def test_what_an_earlier_process_left_is_said_to_be_interrupted(tmp_path: Path) -> None:
    double = Double("N1", meter("M0"))

    async def work(head: HeadEnd) -> None:
        begun = await head.orders.begin("street", OrderWanted(kind="disconnect"), actor="anna")
        done = await ended(head, begun)
        done.state = "running"
        head.orders._keep(done)
        head.orders.interrupted()
        assert head.orders.report(begun.id).state == "interrupted"

    meet(tmp_path, work, double)


def test_a_concentrator_that_cannot_be_asked_for_a_while_has_not_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    double = Double("N1", *(meter(f"M{number}") for number in range(2)))
    away = [LinkError("away"), LinkError("away")]

    async def answer(*given: Any) -> Any:
        if away:
            raise away.pop()
        return await states(*given)

    monkeypatch.setattr("meterway.headend.orders.states", answer)

    async def work(head: HeadEnd) -> None:
        head.orders._poll_s = 0.01
        begun = await head.orders.begin("street", OrderWanted(kind="disconnect"), actor="anna")
        (part,) = (await ended(head, begun)).parts
        assert (part.state, part.confirmed, away) == ("done", 2, [])

    meet(tmp_path, work, double)


def test_on_a_store_that_others_share_their_orders_are_left_until_they_are_silent(tmp_path: Path) -> None:
    double = Double("N1", meter("M1"))

    async def work(head: HeadEnd) -> None:
        head.orders.is_shared = True
        report = OrderReport(
            id="theirs", group="g", kind="clock", actor="t", state="running", not_before=0.0, expires=9e9,
            confidence=0.9, parts=[],
        )  # fmt: skip
        now = int(time.time() * 1000)
        for name, ago_ms in (("theirs", 100_000), ("lost", 130_000)):
            report.id = name
            head.store.orders.put(name, "running", msgspec.json.encode(report).decode(), now_ms=now - ago_ms)
        head.orders.interrupted()
        assert head.orders.report("theirs").state == "running"
        assert head.orders.report("lost").state == "interrupted"

    meet(tmp_path, work, double)
