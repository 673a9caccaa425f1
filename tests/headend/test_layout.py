"""What is kept of a device."""

import pytest

from headend.headends import LAYOUT
from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.headend.layout import Channel, DeviceLayout, profile_layout
from meterway.stacks.dlms.classes.elements import CaptureObject

CLOCK = CaptureObject(class_id=8, obis=Obis(0, 0, 1, 0, 0), attribute=2, data_index=0)
STATUS = CaptureObject(class_id=1, obis=Obis(0, 0, 96, 10, 1), attribute=2, data_index=0)
ENERGY = CaptureObject(class_id=3, obis=Obis(1, 0, 1, 8, 0), attribute=2, data_index=0)
LOAD = Obis(1, 0, 99, 1, 0)


def test_a_layout_survives_its_text_form() -> None:
    assert DeviceLayout.decode(LAYOUT.encode()) == LAYOUT


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"identity": 5}', "\0"])
def test_a_text_that_is_no_layout_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="unreadable"):
        DeviceLayout.decode(text)


def test_the_columns_of_a_profile_are_told_apart() -> None:
    found = profile_layout(LOAD, 900, (STATUS, CLOCK, ENERGY), {"1-0:1.8.0*255": (3, 30)})
    assert (found.period_s, found.clock, found.status) == (900, 1, 0)
    assert found.channels == (Channel(2, "1-0:1.8.0*255", 3, 30),)


@pytest.mark.parametrize("period_s", [-5, 0, 7000, 86_401, 1 << 40])
def test_a_period_that_does_not_divide_the_day_is_none(period_s: int) -> None:
    assert profile_layout(LOAD, period_s, (CLOCK, ENERGY), {}).period_s == 0


def test_a_profile_without_a_clock_is_refused() -> None:
    with pytest.raises(ConfigError, match="captures no clock"):
        profile_layout(LOAD, 900, (ENERGY,), {})


def test_what_was_refused_is_asked_for_again_after_a_day() -> None:
    whole, part = DeviceLayout({}, {}, {}), DeviceLayout({}, {}, {}, {}, ("1-0:1.8.0*255",), 1000.0)
    assert not whole.is_stale(1e9)
    assert not part.is_stale(1000.0 + 86399)
    assert part.is_stale(1000.0 + 86400)
    assert DeviceLayout.decode(part.encode()) == part
