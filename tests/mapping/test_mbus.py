"""M-Bus telegrams become readings with unit, time, storage, tariff and the reason where there is no value."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from meterway.mapping.mbus import decoded, readings
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.link.frames import LongFrame, ShortFrame
from meterway.stacks.mbus.telegram import Telegram, decode

METER = Address(manufacturer=0x2C2D, ident="12345678", version=1, device_type=4)
VECTORS = (Path(__file__).parents[1] / "vectors" / "mbus" / "telegrams.jsonl").read_text("utf-8").splitlines()


def wired(records: str) -> Telegram:
    data = METER.to_wired() + bytes(4) + bytes.fromhex(records.replace(" ", ""))
    return decode(LongFrame(control=8, address=1, ci=0x72, data=data).encode())


@pytest.mark.covers("IF-M", "F1a")
def test_values_have_the_time_of_their_storage_number() -> None:
    found = readings(wired("046D0A0C4135 0406 01000000 426C5F3C 4406 02000000 8410 06 03000000"))
    assert [(one.value, one.unit, one.storage, one.tariff, one.time) for one in found if one.unit] == [
        (1000, "Wh", 0, 0, datetime(2026, 5, 1, 12, 10, tzinfo=UTC)),
        (2000, "Wh", 1, 0, datetime(2026, 12, 31, tzinfo=UTC)),
        (3000, "Wh", 0, 1, datetime(2026, 5, 1, 12, 10, tzinfo=UTC)),
    ]
    assert [one.value for one in found if not one.unit] == ["2026-05-01T12:10:00", "2026-12-31"]


def test_a_maximum_has_the_time_of_the_maximum() -> None:
    found = readings(wired("046D0A0C4135 142B05000000 146D00014135"))
    assert found[1].function == "maximum"
    assert found[1].time == datetime(2026, 5, 1, 1, 0, tzinfo=UTC)


def test_the_zone_of_the_meter_may_be_named() -> None:
    found = readings(wired("046D0A0C4135 040601000000"), zone=timezone(timedelta(hours=1)))
    assert found[1].time == datetime(2026, 5, 1, 11, 10, tzinfo=UTC)


def test_a_missing_value_says_why_and_an_odd_one_is_marked() -> None:
    invalid, lowest = readings(wired("0C2BBDEBDDDD 041300000080"))
    assert (invalid.value, invalid.quality) == (None, "invalid digits DDDDEBBD")
    assert lowest.value == -2147483.648
    assert "invalid" in lowest.quality


def test_a_profile_becomes_readings_of_their_own_time() -> None:
    found = readings(wired("82046CDE36 840413 64000000 8D049313 0A 34FE 5A000000 46000000"))
    assert [(one.value, one.storage, one.time) for one in found[2:]] == [
        (0.09, 9, datetime(2030, 5, 31, tzinfo=UTC)),
        (0.07, 10, datetime(2030, 4, 30, tzinfo=UTC)),
    ]


def test_a_malformed_profile_does_not_take_the_rest_of_the_telegram_away() -> None:
    volume, profile = readings(wired("0413 64000000 0D9313 01 34"))
    assert volume.value == 0.1
    assert (profile.value, profile.quality) == ("34", "a compact profile begins with two octets of spacing")


def test_octets_and_recurring_dates_become_text() -> None:
    found = readings(wired("848F0F6D0000E1F1 0DFD3B E2 0102"))
    assert [one.value for one in found] == ["****-01-01T00:00", "0102"]


@pytest.mark.parametrize("line", VECTORS, ids=lambda line: json.loads(line)["name"])
def test_every_captured_telegram_is_plain_json(line: str) -> None:
    vector = json.loads(line)
    keys = [bytes.fromhex(vector["key"])] if "key" in vector else []
    answer = decoded(decode(bytes.fromhex(vector["hex"]), keys=keys)).as_json()
    assert json.loads(json.dumps(answer)) == answer
    rows = answer["readings"]
    assert isinstance(rows, list)
    assert [[row["value"], row["unit"]] for row in rows if isinstance(row, dict)] == [
        one[1:] for one in vector["values"]
    ]
    assert all(isinstance(row, dict) and row["vif"] for row in rows)


def test_frames_without_records_are_told_by_their_layers() -> None:
    assert decoded(decode(b"\xe5")).layers[0]["frame"] == "acknowledgement"
    assert decoded(decode(ShortFrame(control=0x40, address=5).encode())).layers[0]["address"] == 5
    error = decode(LongFrame(control=8, address=1, ci=0x70, data=b"\x03").encode())
    assert decoded(error).layers[-1]["error"] == "too many records"
    maker = wired("0406 01000000 0F AABB")
    assert decoded(maker).layers[-1]["manufacturer_data"] == "AABB"
    assert decoded(maker).device["manufacturer"] == "KAM"
