"""What a display knows."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from meterway.display.device import DisplayDevice, Line
from meterway.stacks.p1.build import ChannelValues, P1Values, PeakValues, PhaseValues, belgian, dutch, swedish

pytestmark = pytest.mark.covers("IF-H1", "F6a", "F6c", "F6d", "UC-CU-01")

NOW = datetime(2026, 7, 1, 10, 0, 30, tzinfo=UTC)
PEAK = PeakValues(power_w=3695, time=NOW, period=NOW)
VALUES = P1Values(
    serial="MWY7",
    time=NOW,
    energy_in_wh=(1_500, 2_500),
    power_in_w=286,
    phases=(PhaseValues(power_in_w=286, current_a=Decimal("1.25")),),
    tariff=2,
    message="Hello",
    demand_w=300,
    peak=PEAK,
    peaks=(PEAK,),
    channels=(ChannelValues(channel=1, device_type=3, serial="G1", time=NOW, value=Decimal("12.5")),),
)


def shown(telegram, now=NOW):
    device = DisplayDevice()
    device.take(telegram, now)
    return device.view(now)


def test_an_empty_display_waits():
    view = DisplayDevice().view(NOW)
    assert (view.power_w, view.registers, view.updated, view.line.state) == (None, (), None, "waiting")
    assert json.dumps(view.as_json())


def test_a_belgian_telegram_is_shown():
    view = shown(belgian(VALUES))
    assert (view.meter, view.power_w, view.tariff, view.message) == ("MWY7", 286, 2, "Hello")
    assert [(row.label, row.tariff, row.value) for row in view.registers[:2]] == [
        ("Consumed", 1, Decimal("1.500")),
        ("Consumed", 2, Decimal("2.500")),
    ]
    assert (view.demand_w, view.peak.power_w, view.peaks[0].power_w) == (300, 3695, 3695)
    assert (view.phases[0].voltage_v, view.phases[0].current_a) == (Decimal("230.0"), Decimal("1.25"))
    assert len(view.phases) == 1


def test_a_gas_meter_is_shown_with_its_own_time():
    (gas,) = shown(dutch(VALUES)).channels
    assert (gas.kind, gas.serial, gas.value, gas.unit, gas.time) == ("gas", "G1", Decimal("12.500"), "m³", NOW)


def test_a_total_is_shown_where_there_are_no_tariffs():
    view = shown(swedish(VALUES))
    assert [(row.tariff, row.value) for row in view.registers] == [(0, Decimal("4.000")), (0, Decimal("0.000"))]
    assert view.tariff is None


def test_feeding_in_counts_down():
    assert shown(dutch(replace(VALUES, power_in_w=0, power_out_w=900))).power_w == -900


@pytest.mark.covers("F6b")
def test_the_curve_holds_minute_means_of_one_day():
    device = DisplayDevice()
    start = NOW.replace(second=0)
    for minute in range(26 * 60):
        for second, power in ((0, 100), (30, 200)):
            device.take(
                dutch(replace(VALUES, power_in_w=power + minute % 2)), start + timedelta(minutes=minute, seconds=second)
            )
    end = start + timedelta(hours=26)
    curve = device.view(end).curve
    assert 1438 <= len(curve) <= 1440
    assert end - curve[0].time <= timedelta(hours=24)
    assert {point.power_w for point in curve[1:-1]} == {150, 151}


def test_an_old_curve_ends():
    device = DisplayDevice()
    device.take(dutch(VALUES), NOW)
    assert len(device.view(NOW).curve) == 1
    assert device.view(NOW + timedelta(days=2)).curve == ()


def test_the_age_of_the_last_telegram_is_told():
    device = DisplayDevice()
    device.take(dutch(VALUES), NOW)
    assert device.view(NOW + timedelta(seconds=75)).age_s == 75


def test_faults_are_counted_and_the_line_is_told():
    device = DisplayDevice()
    device.fault("crc")
    device.fault("crc")
    device.line = Line(state="lost", message="refused")
    view = device.view(NOW)
    assert (view.faults, view.line.state) == ({"crc": 2}, "lost")


def test_a_view_is_plain_json():
    row = shown(belgian(VALUES)).as_json()
    assert json.loads(json.dumps(row)) == row
    assert row["registers"][0]["value"] == 1.5
    assert row["updated"] == "2026-07-01T10:00:30Z"
