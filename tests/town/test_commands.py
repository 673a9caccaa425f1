"""Commands on demand reach a real meter, and every one of them is on record."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from meterway.base.errors import MeterwayError, StoreError
from meterway.base.obis import Obis
from meterway.headend.commands import Command
from meterway.mapping.obis import find
from meterway.meter.api import Fault, inject
from town.towns import Time, town

SWITCH = find("disconnect-control")


@pytest.mark.covers("UC-BI-02", "F1a", "IF-I", "E-HES-3")
@pytest.mark.parametrize("transport", ["tcp", "hdlc"])
def test_objects_are_read_by_the_names_a_person_uses(tmp_path: Path, clock: Time, transport: str) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", transport=transport) as at:
            read = at.head_end.read
            told = (await read("M1", Command(obis=find("clock")), actor="me")).value
            assert str(told)[:15] == time.strftime("%Y-%m-%dT%H:%M", time.gmtime(clock()))[:15]
            energy = await read("M1", Command(obis=find("1.8.0")), actor="me")
            assert energy.unit == "Wh"
            assert int(str(energy.value)) == pytest.approx(at.host.meters["M1"].energy_at(clock())[0], abs=50)
            name = await read("M1", Command(obis=find("logical-device-name")), actor="me")
            assert str(name.value).endswith("M1")
            unit = await read("M1", Command(obis=find("1.8.0"), attribute="scaler_unit"), actor="me")
            assert unit.value == {"scaler": 0, "unit": 30}

    asyncio.run(work())


@pytest.mark.covers("UC-BI-02", "F3d")
def test_a_profile_is_read_by_range_with_named_columns(tmp_path: Path, clock: Time) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            start = clock() // 900 * 900 - 3600
            asked = Command(obis=find("load-profile"), from_s=start, to_s=start + 1800)
            table = (await at.head_end.read("M1", asked, actor="me")).value
            assert isinstance(table, dict)
            rows, columns = table["rows"], table["columns"]
            assert isinstance(rows, list)
            assert isinstance(columns, list)
            assert [column["name"] for column in columns][:3] == [  # type: ignore[index]
                "clock", "load-profile-status", "active-energy-import",
            ]  # fmt: skip
            wanted = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start + step)) for step in (0, 900, 1800)]
            assert [row[0] for row in rows] == wanted  # type: ignore[index]
            truth = at.host.meters["M1"].energy_slots(int(start) // 900, 3)[:, 0].tolist()
            assert [row[2] for row in rows] == truth  # type: ignore[index]

    asyncio.run(work())


@pytest.mark.covers("UC-BI-02")
def test_a_refusal_is_a_value_and_an_unknown_object_a_clear_error(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            refused = await at.head_end.set("M1", Command(obis=find("1.8.0"), value=5), actor="me")
            assert refused.as_json()["ok"] is False
            assert refused.refusal == "read-write-denied"
            absent = await at.head_end.read("M1", Command(obis=Obis(1, 0, 99, 99, 9), class_id=3), actor="me")
            assert absent.refusal in ("object-undefined", "object-unavailable")
            with pytest.raises(MeterwayError, match=r"the device has no object 1-0:99\.99\.9"):
                await at.head_end.read("M1", Command(obis=Obis(1, 0, 99, 99, 9)), actor="me")
            with pytest.raises(MeterwayError, match="no_such"):
                await at.head_end.read("M1", Command(obis=find("1.8.0"), attribute="no_such"), actor="me")
            with pytest.raises(MeterwayError):
                await at.head_end.read("M1", Command(obis=find("load-profile"), from_s=1e18), actor="me")
            assert (await at.head_end.read("M1", Command(obis=find("clock")), actor="me")).refusal == ""

    asyncio.run(work())


@pytest.mark.covers("UC-BI-05", "F4a", "F4b", "UC-IN-02", "UC-IN-03", "E-HES-4", "REC-d")
def test_a_meter_is_set_and_switched(tmp_path: Path, clock: Time) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            meter = at.host.meters["M1"]
            meter.clock_offset_s = 500.0
            assert (await at.head_end.set("M1", Command(obis=find("clock"), value="now"), actor="me")).refusal == ""
            assert abs(meter.clock_error_s(clock())) < 2
            off = await at.head_end.act("M1", Command(obis=SWITCH, method="remote_disconnect"), actor="me")
            assert off.refusal == ""
            state = await at.head_end.read("M1", Command(obis=SWITCH, attribute="control_state"), actor="me")
            assert state.value in (0, "disconnected")
            await at.head_end.act("M1", Command(obis=SWITCH, method="remote_reconnect"), actor="me")

    asyncio.run(work())


@pytest.mark.covers("E-HES-10", "SEC-12")
def test_every_command_is_on_record_also_the_failed_ones(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", response_timeout_s=0.3) as at:
            head_end = at.head_end
            await head_end.read("M1", Command(obis=find("clock")), actor="ann")
            await head_end.set("M1", Command(obis=find("1.8.0"), value=7), actor="ben")
            with pytest.raises(StoreError, match="no device"):
                await head_end.read("M9", Command(obis=find("clock")), actor="eve")
            inject(at.host, "M1", Fault.HANG)
            with pytest.raises(MeterwayError):
                await head_end.act("M1", Command(obis=SWITCH, method="remote_disconnect"), actor="cid")
            rows = [(row.actor, row.action, row.result, row.device is None) for row in at.store.audit.recent()][::-1]
            assert rows == [
                ("ann", "read", "ok", False),
                ("ben", "set", "asked", False),
                ("ben", "set", "read-write-denied", False),
                ("eve", "read", "failed", True),
                ("cid", "act", "asked", False),
                ("cid", "act", "timeout", False),
            ]
            assert at.store.audit.verify() == 6
            details = [row.detail for row in at.store.audit.recent()][::-1]
            assert details[1] == "1-0:1.8.0*255 2 = 7"
            assert "'M9'" in details[3]

    asyncio.run(work())


@pytest.mark.covers("SEC-07", "E-HES-10")
def test_a_secret_that_is_set_is_not_in_the_log(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            association = Command(obis=Obis(0, 0, 40, 0, 0), class_id=15, attribute="secret", value="hush-hush-hush")
            await at.head_end.set("M1", association, actor="me")
            assert all("hush" not in row.detail for row in at.store.audit.recent())

    asyncio.run(work())


@pytest.mark.covers("UC-BI-02")
def test_commands_and_collections_of_one_meter_wait_for_each_other(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", days=35) as at:
            clock = Command(obis=find("clock"))
            done = await asyncio.gather(
                at.collect("M1"),
                *(at.head_end.read("M1", clock, actor=f"{number}") for number in range(5)),
                at.collect("M1"),
            )
            assert [each["cause"] for each in done if isinstance(each, dict)] == ["ok", "ok"]
            assert len(at.store.audit.recent()) == 5
            assert {row.result for row in at.store.audit.recent()} == {"ok"}

    asyncio.run(work())


@pytest.mark.covers("UC-EV-03")
def test_the_objects_of_a_meter_are_listed(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            found = await at.head_end.objects("M1")
            assert (8, 0, Obis(0, 0, 1, 0, 0)) in found
            assert len(found) > 40

    asyncio.run(work())
