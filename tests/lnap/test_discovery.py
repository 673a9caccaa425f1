"""What Home Assistant is told fits its rules, and a doubtful value is not told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lnap_town import HEAT, NOON, WATER, RadioMeter, hear, ledger, site
from meterway.base.obis import Obis
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.tariff import Stage, TariffCase
from meterway.lnap.discovery import announcements, sensor_of, states
from meterway.stacks.mbus.records.record import make_record

# Which state classes and units Home Assistant takes for which device class of a sensor.
STATE_CLASSES = {
    "gas": {"total", "total_increasing"},
    "water": {"total", "total_increasing"},
    "energy": {"total", "total_increasing"},
    "volume": {"total", "total_increasing"},
    "power": {"measurement"},
    "temperature": {"measurement"},
    "volume_flow_rate": {"measurement"},
    "voltage": {"measurement"},
    "current": {"measurement"},
}
UNITS = {
    "gas": {"m³"},
    "water": {"m³"},
    "energy": {"kWh", "MJ"},
    "volume": {"m³"},
    "power": {"W"},
    "temperature": {"°C", "K"},
    "volume_flow_rate": {"m³/h"},
    "voltage": {"V"},
    "current": {"A"},
}
M3, WH, J, W = 13, 30, 25, 27


@pytest.mark.covers("IF-H2")
@pytest.mark.parametrize(
    ("obis", "unit", "expected"),
    [
        ("7-0:3.0.0", M3, ("gas", "total_increasing", "m³")),
        ("7-0:3.2.0", M3, ("gas", "total_increasing", "m³")),
        ("8-0:1.0.0", M3, ("water", "total_increasing", "m³")),
        ("8-0:1.2.0", M3, ("water", "", "m³")),
        ("9-0:1.0.0", M3, ("water", "total_increasing", "m³")),
        ("6-0:1.0.0", WH, ("energy", "total_increasing", "kWh")),
        ("6-0:1.0.0", J, ("energy", "total_increasing", "MJ")),
        ("6-0:2.0.0", M3, ("volume", "total_increasing", "m³")),
        ("6-0:8.0.0", W, ("power", "measurement", "W")),
        ("6-0:10.0.0", 9, ("temperature", "measurement", "°C")),
        ("6-0:12.0.0", 52, ("", "measurement", "K")),
        ("4-0:1.0.0", 255, ("", "total_increasing", "")),
        ("1-0:1.8.0", WH, ("energy", "total_increasing", "kWh")),
        ("1-0:1.7.0", W, ("power", "measurement", "W")),
    ],
)
def test_a_register_is_the_sensor_that_a_dashboard_takes(obis: str, unit: int, expected: tuple[str, ...]) -> None:
    sensor = sensor_of(Obis.parse(obis), unit)
    assert sensor[:3] == expected
    if sensor.device_class:
        assert sensor.state_class in STATE_CLASSES[sensor.device_class] | {""}
        assert sensor.unit in UNITS[sensor.device_class]


def told(book: Ledger, **more: object) -> tuple[dict[str, str], dict[str, str]]:
    found = site(book, **more)  # type: ignore[arg-type]
    meters = list(book.gateway.channels.values())
    return (
        announcements(found, meters, prefix="p", discovery="ha"),
        states(found, meters, prefix="p", discovery="ha", now=NOON),
    )


@pytest.mark.covers("IF-H2", "F6a")
def test_announcement_and_state_belong_together(tmp_path: Path) -> None:
    meter = RadioMeter(kind=HEAT)
    book = ledger(tmp_path, meter.bound())
    hear(book, meter.telegram(5000, make_record(b"\x2b", 1200, 4)), NOON)
    known, shown = told(book)
    rows = [json.loads(payload) for payload in known.values()]
    assert len({row["unique_id"] for row in rows}) == len(rows) == 2
    energy = next(row for row in rows if row["device_class"] == "energy")
    assert shown[energy["state_topic"]] == "5"
    assert shown[energy["availability"][1]["topic"]] == "online"
    book.gateway.channel(1).silent = True
    assert told(book)[1][energy["availability"][1]["topic"]] == "offline"
    book.spool.close()


@pytest.mark.covers("IF-H2")
def test_nothing_is_said_before_a_value_came_and_a_fall_is_not_shown(tmp_path: Path) -> None:
    meter = RadioMeter(kind=WATER)
    book = ledger(tmp_path, meter.bound())
    assert told(book) == ({}, {})
    for step, value in enumerate((10.5, 0.0, 10.6)):
        hear(book, meter.telegram(value), NOON + step)
        (state,) = [text for topic, text in told(book)[1].items() if topic.endswith("8_0_1_0_0")]
        assert state == ("10.500", "10.500", "10.600")[step]
    book.spool.close()


def test_the_tariff_in_force_is_a_sensor_too(tmp_path: Path) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    hear(book, meter.telegram(1), NOON)
    case = TariffCase(case="TAF2", party="operator", channel=1, stages=(Stage(number=4),))
    known, shown = told(book, tariffs=(case,))
    row = next(json.loads(payload) for topic, payload in known.items() if "tariff" in topic)
    assert row["options"] == ["0", "4"]
    assert shown[row["state_topic"]] == "4"
    book.spool.close()
