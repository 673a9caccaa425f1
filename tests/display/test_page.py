"""The display's page."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from litestar.testing import TestClient

from meterway.display.device import CurvePoint, DisplayDevice
from meterway.display.page import curve_path, live_part, page
from meterway.stacks.p1.build import ChannelValues, P1Values, PeakValues, PhaseValues, belgian, dutch

pytestmark = pytest.mark.covers("IF-H1", "F6a", "F6d", "UC-CU-01")

NOW = datetime(2026, 7, 1, 10, 0, 30, tzinfo=UTC)
PEAK = PeakValues(power_w=3695, time=NOW, period=NOW)
VALUES = P1Values(
    serial="MWY7",
    time=NOW,
    energy_in_wh=(1_500_000, 2_500),
    power_in_w=1286,
    phases=(PhaseValues(power_in_w=1286, current_a=Decimal("5.5")),),
    message="<script>alert(1)</script>",
    demand_w=1200,
    peak=PEAK,
    peaks=(PEAK,),
    channels=(ChannelValues(channel=1, device_type=7, serial="W1", time=NOW, value=3),),
)


def view_of(telegram):
    device = DisplayDevice()
    device.take(telegram, NOW)
    return device.view(NOW)


def client(view, hosts=None):
    async def changes():
        yield view

    return TestClient(page(lambda: view, changes, hosts=hosts), base_url="http://127.0.0.1")


def test_the_page_shows_what_the_meter_told_without_any_script():
    with client(view_of(belgian(VALUES))) as http:
        text = http.get("/").text
    for word in ("MWY7", "1\u202f286", "1\u202f500.000 kWh", "230.0", "5.50", "Water", "3.000 m³", "3\u202f695 W"):
        assert word in text


@pytest.mark.covers("SEC-11")
def test_a_message_of_the_meter_is_text_and_never_markup():
    assert "<script>alert" not in live_part(view_of(dutch(VALUES)))
    assert "&lt;script&gt;" in live_part(view_of(dutch(VALUES)))


def test_a_display_without_a_telegram_has_a_page():
    assert "waiting for the first telegram" in live_part(DisplayDevice().view(NOW))


def test_feeding_in_is_said():
    assert "feeding in" in live_part(view_of(dutch(replace(VALUES, power_in_w=0, power_out_w=5))))


def test_the_state_is_there_as_json():
    with client(view_of(dutch(VALUES))) as http:
        state = http.get("/state.json").json()
    assert (state["meter"], state["power_w"]) == ("MWY7", 1286)


def test_changes_are_sent_as_they_come():
    with client(view_of(dutch(VALUES))) as http:
        text = http.get("/events").text
    assert text.startswith('data: "')
    assert "MWY7" in text


@pytest.mark.covers("SEC-11")
def test_nothing_is_loaded_from_elsewhere():
    with client(view_of(dutch(VALUES))) as http:
        answer = http.get("/")
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "http" not in answer.text
        assert {http.get(f"/{name}").status_code for name in ("page.css", "page.js", "icon.svg")} == {200}


@pytest.mark.covers("SEC-11")
def test_a_page_on_loopback_answers_to_its_own_names_only():
    with client(view_of(dutch(VALUES)), hosts=["127.0.0.1"]) as http:
        assert http.get("/").status_code == 200
        assert http.get("/", headers={"host": "evil.example"}).status_code == 400


def test_a_gap_breaks_the_curve():
    times = [NOW, NOW + timedelta(minutes=1), NOW + timedelta(hours=1)]
    path, zero = curve_path(tuple(CurvePoint(time=time, power_w=100) for time in times))
    assert path.count("M") == 2
    assert path.count("L") == 1
    assert zero == 160
    assert curve_path(())[0] == ""


def test_the_zero_line_is_inside_when_feeding_in():
    _, zero = curve_path((CurvePoint(time=NOW, power_w=-100), CurvePoint(time=NOW, power_w=100)))
    assert zero == 80
