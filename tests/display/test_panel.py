"""The panel in a terminal."""

import asyncio
import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from meterway.display.device import CurvePoint, DisplayDevice, Line
from meterway.display.panel import bar, render, show, sparkline
from meterway.stacks.p1.build import ChannelValues, P1Values, PeakValues, PhaseValues, belgian

pytestmark = pytest.mark.covers("IF-H1", "F6a", "UC-CU-01")

NOW = datetime(2026, 7, 1, 10, 0, 30, tzinfo=UTC)
PEAK = PeakValues(power_w=3695, time=NOW, period=NOW)


def device():
    one = DisplayDevice()
    one.take(
        belgian(
            P1Values(
                serial="MWY7",
                time=NOW,
                energy_in_wh=(1_500, 2_500),
                power_in_w=1286,
                phases=(PhaseValues(power_in_w=1286),),
                message="Hello [bold]you",
                peak=PEAK,
                peaks=(PEAK,),
                channels=(ChannelValues(channel=1, device_type=7, serial="W1", time=NOW, value=3),),
            )
        ),
        NOW,
    )
    return one


def text_of(view, width=80):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(render(view, width))
    return console.file.getvalue()


def test_everything_there_is_to_know_is_on_the_panel():
    text = text_of(device().view(NOW + timedelta(seconds=3)))
    for word in ("MWY7", "1,286 W", "tariff 1", "1.500 kWh", "230.0 V", "water", "3.000 m³", "3,695 W", "3 s ago"):
        assert word in text
    assert "Hello [bold]you" in text


def test_the_panel_fits_a_narrow_terminal():
    assert max(map(len, text_of(device().view(NOW), width=40).splitlines())) == 40


def test_an_empty_panel_says_that_it_waits():
    one = DisplayDevice()
    one.line = Line(state="lost", message="127.0.0.1:2001 cannot be reached")
    text = text_of(one.view(NOW))
    assert "waiting for the first telegram" in text
    assert "lost" in text


def points(*powers):
    return [CurvePoint(time=NOW + timedelta(minutes=index), power_w=power) for index, power in enumerate(powers)]


def test_a_sparkline_rises_with_the_power_and_fits_its_width():
    assert sparkline(points(0, 500, 1000), 10) == "▁▅█"
    assert sparkline(points(-1000, 0, 1000), 10) == "▁▅█"
    assert len(sparkline(points(*range(1000)), 60)) == 60
    assert sparkline([], 10) == ""
    assert sparkline(points(5), 0) == ""


def test_a_bar_shows_its_share():
    assert bar(1500, 3000, 10).plain == "█████░░░░░"
    assert bar(-9000, 3000, 10).plain == "█" * 10


def test_the_panel_follows_every_change():
    console = Console(file=io.StringIO(), width=80, force_terminal=True)

    async def changes():
        yield DisplayDevice().view(NOW)
        yield device().view(NOW)

    asyncio.run(show(changes, console, address=lambda: "http://127.0.0.1:1/"))
    written = console.file.getvalue()
    assert written.index("waiting for the first telegram") < written.index("1,286 W")
    assert "http://127.0.0.1:1/" in written
