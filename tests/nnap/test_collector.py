"""What a concentrator hears: kept, refused, told of, reported once; through restarts and kills."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest

from lnap_town import GAS, NOON, WATER, RadioMeter
from meterway.interfaces.mbus.meters import Bound
from meterway.interfaces.mbus.settings import MeterConfig
from meterway.mapping.neighbourhood import HEARD_SAP, NodeState
from meterway.nnap.collector import quality_of
from meterway.nnap.events import Code
from meterway.stacks.mbus.telegram import sender_of
from nnap_radio import Mast, settings

pytestmark = pytest.mark.covers("E-NNAP", "IF-C", "IF-G2")

_DAY_S = 86400


def codes(mast: Mast) -> list[Code]:
    return [event.code for event in mast.nnap.store.events()]


def test_what_is_heard_is_mirrored_read_back_and_reported_once(tmp_path: Path) -> None:
    gas, water = RadioMeter(kind=GAS), RadioMeter(kind=WATER, ident="20000002", bidirectional=False)
    mast = Mast(settings(tmp_path, gas, water))
    mast.pass_s(60)
    for hour in range(3):
        mast.hear(gas, 100 + hour)
        mast.hear(water, 50 + hour, mode="T1")
        mast.pass_s(3600)
    report = mast.report()
    assert report is not None
    found = {one.serial: one for one in report.meters}
    assert set(found) == {str(gas.address), str(water.address)}
    series = found[str(gas.address)]
    assert series.times == [int(NOON) + 3600 * hour for hour in (1, 2, 3)]
    assert series.values == [[100_000, 101_000, 102_000]]
    assert (series.columns[0].obis, series.columns[0].scaler, series.columns[0].unit) == ("7-0:3.0.0*255", -3, 13)
    assert {(node.serial, node.state, node.address) for node in report.topology} == {
        (str(gas.address), "heard", 1), (str(water.address), "heard", 2),
    }  # fmt: skip
    again = mast.report()
    assert again is None or not again.meters
    mast.kill()


def test_a_sleeping_meter_is_answered_for_with_the_age_of_its_value(tmp_path: Path) -> None:
    gas = RadioMeter()
    mast = Mast(settings(tmp_path, gas))
    assert mast.device(HEARD_SAP + 1).association(1) is None, "nothing was heard yet"
    mast.hear(gas, 12.345)
    mast.pass_s(1234)
    assert mast.get(HEARD_SAP + 1, 3, "7-0:3.0.0") == 12345
    assert mast.get(HEARD_SAP + 1, 3, "0-0:128.0.0") == 1234
    assert mast.device(HEARD_SAP + 2) is None
    mast.kill()


@pytest.mark.covers("SEC-09", "SEC-11")
def test_replays_wrong_keys_and_strangers_change_nothing_and_are_told_of_once_an_hour(tmp_path: Path) -> None:
    gas = RadioMeter()
    mast = Mast(settings(tmp_path, gas))
    first = gas.telegram(1.0)
    mast.air.say(first, mast.now)
    mast.air.say(gas.telegram(2.0), mast.now + 1)
    forged = RadioMeter(key=bytes(16))
    forged.counter = 1000
    mast.pass_s(2000)
    for _ in range(5):
        mast.air.say(first, mast.now)
        mast.air.say(forged.telegram(9.0), mast.now)
        mast.air.say(RadioMeter(ident="77777777").telegram(3.0), mast.now)
        mast.pass_s(10)
    assert mast.get(HEARD_SAP + 1, 3, "7-0:3.0.0") == 2000
    told = codes(mast)
    assert [told.count(one) for one in (Code.REPLAY, Code.KEY_FAILED, Code.METER_UNKNOWN)] == [1, 1, 1]
    assert (
        next(one.detail for one in mast.nnap.store.events() if one.code is Code.METER_UNKNOWN) == "MWY-77777777-01-03"
    )
    mast.kill()


def test_silence_and_a_low_battery_are_told_of(tmp_path: Path) -> None:
    gas = RadioMeter()
    mast = Mast(settings(tmp_path, gas))
    mast.hear(gas, 1.0)
    gas.status = 0x04
    mast.hear(gas, 1.1)
    mast.pass_s(3 * _DAY_S)
    assert (mast.collector.rows()[0].state, mast.collector.rows()[0].quality) == (NodeState.HEARD, 0)
    gas.status = 0
    mast.hear(gas, 1.2)
    assert [one for one in codes(mast) if one in (Code.BATTERY_LOW, Code.NODE_SILENT, Code.NODE_BACK)] == [
        Code.BATTERY_LOW, Code.NODE_SILENT, Code.NODE_BACK,
    ]  # fmt: skip
    report = mast.report()
    assert report is not None
    own = {(event.code, event.text) for event in report.events if event.serial == "NNAP0001"}
    assert (int(Code.NODE_SILENT), str(gas.address)) in own
    assert {102, 100, 101} <= {event.code for event in report.events if event.serial == str(gas.address)}
    mast.kill()


@pytest.mark.parametrize("pause_s", [60, 1500, 3000, 5000, 90_000])
def test_what_was_heard_before_the_process_was_killed_stays(tmp_path: Path, pause_s: int) -> None:
    gas = RadioMeter()
    mast = Mast(settings(tmp_path, gas))
    mast.pass_s(600)
    mast.hear(gas, 100)
    mast.pass_s(1)
    mast.kill()
    mast.now += pause_s
    mast.begin()
    assert mast.get(HEARD_SAP + 1, 3, "7-0:3.0.0") == 100_000
    mast.pass_s(3600)
    report = mast.report()
    assert report is not None
    (series,) = report.meters
    assert (series.times, series.values) == ([int(NOON) + 3600], [[100_000]])
    old = gas.telegram(1.0)
    gas.counter -= 2
    mast.air.say(gas.telegram(500.0), mast.now)
    assert mast.get(HEARD_SAP + 1, 3, "7-0:3.0.0") == 100_000, "a counter seen before the kill is a replay after it"
    mast.air.say(old, mast.now)
    assert mast.get(HEARD_SAP + 1, 3, "7-0:3.0.0") == 1000
    mast.kill()


def test_the_heads_clock_is_the_clock_of_what_is_heard(tmp_path: Path) -> None:
    gas = RadioMeter()
    mast = Mast(settings(tmp_path, gas))
    mast.nnap.site.clock_offset_s = 7200.0
    mast.hear(gas, 1.0)
    assert mast.collector.gateway.channels[1].heard_s == mast.now + 7200
    assert mast.get(HEARD_SAP + 1, 3, "0-0:128.0.0") == 0
    mast.kill()


@pytest.mark.parametrize(
    ("rssi", "telegrams", "silent", "quality"),
    [(None, 1, False, 50), (-50.0, 1, False, 100), (-80.0, 1, False, 50), (-130.0, 1, False, 1),
     (-50.0, 0, False, 0), (-50.0, 9, True, 0)],
)  # fmt: skip
def test_quality_is_that_of_the_last_telegram(rssi: float | None, telegrams: int, silent: bool, quality: int) -> None:
    meter = Bound(address=RadioMeter().address, channel=1, rssi_dbm=rssi, telegrams=telegrams, silent=silent)
    assert quality_of(meter) == quality


def _published(name: str) -> tuple[bytes, str]:
    """The octets and the key of a telegram that somebody else published."""
    path = Path(__file__).parents[1] / "vectors" / "mbus" / "telegrams.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    row = next(one for one in rows if one["name"].startswith(name))
    return bytes.fromhex(row["hex"]), row["key"]


@pytest.mark.parametrize(
    ("name", "security", "code", "raw"),
    [
        ("gas meter, format A, AFL, mode 7 (OMS example N.2)", "B", "7-0:3.0.0", 2850427),
        ("heat cost allocator, format A, mode 5", "A", "4-0:1.0.0", 1234),
        ("water meter, extended link layer with AES-CTR", "A", "8-0:1.0.0", 474240),
    ],
)
def test_telegrams_that_others_published_are_heard_and_read_back(
    tmp_path: Path, name: str, security: Literal["A", "B"], code: str, raw: int
) -> None:
    octets, key = _published(name)
    sender = sender_of(octets, link="radio")
    listed = MeterConfig(address=str(sender), channel=1, key=key, security=security)
    mast = Mast(settings(tmp_path, battery_meters=(listed,)))
    mast.pass_s(60)
    mast.air.say(octets, mast.now, "T1")
    assert mast.get(HEARD_SAP + 1, 3, code) == raw
    mast.pass_s(3600)
    report = mast.report()
    assert report is not None
    (series,) = report.meters
    assert series.values[0] == [raw]
    assert series.columns[0].obis == f"{code}*255"
    mast.kill()
