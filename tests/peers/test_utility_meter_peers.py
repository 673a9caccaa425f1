"""pyMeterBus and pymbusparser read what our utility meters say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.device import Condition, MbusMeter
from meterway.meter.mbus.dlms import segments
from meterway.meter.mbus.radio import RadioMeter
from meterway.meter.mbus.usage import Utility
from meterway.meter.mbus.wired import WiredMeter
from meterway.stacks.mbus.link.frames import LongFrame
from meterway.stacks.mbus.records.record import Record
from meterway.stacks.mbus.telegram import decode

pytestmark = [pytest.mark.peer, pytest.mark.covers("E-MED", "IF-M", "F1a")]

NOW = 1_795_446_000.0
KEY = bytes(range(16))
UNITS = {"W.h": "Wh", "m3": "m³", "m3.h-1": "m³/h", "W": "W", "Cel": "°C"}


def meter_of(utility: Utility, **more: Any) -> MbusMeter:
    meter = MbusMeter(
        MeterConfig(ident="12345678", utility=utility, key=KEY.hex(), valve=utility is Utility.GAS, **more)
    )
    if utility is Utility.WATER:
        meter.begin(Condition.BACK_FLOW, NOW - 7200)
    return meter


def wired_frames(utility: Utility) -> list[bytes]:
    wired = WiredMeter(meter_of(utility, security=0), lambda: NOW)
    return [LongFrame(control=8, address=5, ci=ci, data=data).encode() for ci, data in wired.user_data()]


def plain(records: tuple[Record, ...]) -> list[Record]:
    return [record for record in records if record.head.kind != "profile"]


def texts(value: object) -> object:
    return value.isoformat()[:16] if hasattr(value, "isoformat") else value


@pytest.mark.parametrize("utility", list(Utility))
def test_pymeterbus_reads_every_wired_telegram_as_we_mean_it(utility: Utility) -> None:
    meterbus = pytest.importorskip("meterbus", reason="pyMeterBus is not installed")
    for frame in wired_frames(utility):
        ours = plain(decode(frame).records)
        body = json.loads(meterbus.load(frame).to_JSON())["body"]
        assert body["header"]["identification"].replace("0x", "").replace(", ", "") == "12345678"
        theirs = [one for one in body["records"] if one["type"] != "None" and "unit_enh" not in one]
        enhanced = {"933C", "933A", "863C"}
        mine = [one for one in ours if one.head.vif not in enhanced]
        assert len(theirs) >= len(mine)
        values = [(one["storage_number"], one.get("tariff", 0) or 0, one["value"]) for one in theirs]
        for record in mine:
            value = int(record.value) if record.head.vif == "78" else texts(record.value)  # type: ignore[call-overload]
            assert (
                record.storage,
                record.tariff,
                pytest.approx(value) if isinstance(value, float) else value,
            ) in values


def same(record: Record, told: dict[str, Any]) -> None:
    assert (told["storage_number"], told["tariff"]) == (record.storage, record.tariff)
    value, read = record.value, told["value"]["value"]
    if isinstance(value, (int, float)):
        assert float(read) == pytest.approx(value)
    elif isinstance(value, str):
        assert read == value
    else:
        assert read.startswith(texts(value))
    if told.get("unit") is not None:
        assert UNITS[told["unit"]] == record.unit


@pytest.mark.parametrize("utility", list(Utility))
def test_pymbusparser_reads_every_wired_telegram_as_we_mean_it(utility: Utility) -> None:
    pymbusparser = pytest.importorskip("pymbusparser", reason="pymbusparser is not installed")
    for frame in wired_frames(utility):
        ours = decode(frame).records
        theirs = pymbusparser.parse(frame)
        assert theirs["decode_state"] == "complete"
        assert theirs["meter"]["identity"]["id"] == "12345678"
        for record, told in zip(ours, theirs["records"], strict=False):
            if record.head.kind != "profile":
                same(record, told)


@pytest.mark.parametrize("utility", list(Utility))
@pytest.mark.parametrize("security", [0, 5])
@pytest.mark.parametrize("long_header", [False, True])
def test_pymbusparser_reads_radio_telegrams_plain_and_of_profile_a(
    utility: Utility, security: int, long_header: bool
) -> None:
    pymbusparser = pytest.importorskip("pymbusparser", reason="pymbusparser is not installed")
    meter = meter_of(utility, security=security, long_header=long_header)
    radio = RadioMeter(meter, NOW)
    for _ in range(4):
        (sent,) = radio.due(radio.next_s)
        theirs = pymbusparser.parse(sent.octets, key=KEY)
        assert theirs["meter"]["identity"]["id"] == "12345678"
        told = theirs["records"]
        ours = decode(sent.octets, keys=[KEY]).records
        assert len(told) >= len(ours)
        for record, one in zip(ours, told, strict=False):
            if record.head.kind != "profile":
                same(record, one)


@pytest.mark.parametrize("count", [2, 4])
def test_gurux_takes_our_dlms_frames_for_what_they_are_and_sees_whether_more_follow(count: int) -> None:
    gurux = pytest.importorskip("gurux_dlms", reason="gurux-dlms is not installed")
    client = gurux.GXDLMSClient(interfaceType=gurux.enums.InterfaceType.WIRED_MBUS)
    rows = [bytes(range(80))] * count
    apdu = bytes.fromhex("0f000000010002") + bytes((count,)) + b"".join(b"\x09\x50" + row for row in rows)
    ci, data = segments(apdu, 1, 0x67)[0]
    reply, notify = gurux.GXReplyData(), gurux.GXReplyData()
    client.getData(gurux.GXByteBuffer(LongFrame(control=0x53, address=255, ci=ci, data=data).encode()), reply, notify)
    assert notify.isMoreData() == (count == 4)
    if count == 2:
        assert [bytes(part) for part in notify.value] == rows
