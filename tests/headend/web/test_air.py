"""The page of the air: what somebody without keys hears."""

import pytest

from meterway.headend.overheard import Frame, Overheard
from meterway.headend.web.air import telegrams
from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.past import said
from meterway.meter.mbus.usage import Utility


def spoken(security):
    meter = MeterConfig(ident="10000001", utility=Utility.GAS, key="0f" * 16, security=security)
    (one,) = said((meter,), (1_790_000_000.0,))
    return one.octets


def shown(octets, **more):
    overheard = Overheard()
    overheard.tell(
        Frame(time_s=1_790_000_000.25, interface="M", station="meter", mode="T1", octets=octets, **{"heard": 1, **more})
    )
    return telegrams(overheard)[0]


def test_values_in_the_clear_are_read():
    one = shown(spoken(0))
    assert "m³" in one.says
    assert (one.time, one.size, one.fate) == ("14:13:20.250", len(spoken(0)), "heard by 1")


@pytest.mark.parametrize("security", [5, 7, 10])
def test_what_is_protected_stays_closed(security):
    assert f"mode {security}" in shown(spoken(security)).says
    assert "m³" not in shown(spoken(security)).says


def test_octets_that_are_no_telegram_and_losses_are_told():
    one = shown(b"\x01", heard=0, lost={"collision": 2, "weak": 1})
    assert one.says
    assert one.fate == "heard by 0; lost: 2 × collision, 1 × weak"


def test_the_page_is_named_only_where_there_is_an_air(http, head_end):
    assert "In the air" not in http.get("/").text
    head_end.overheard.tell(Frame(time_s=0.0, interface="M", station="<b>", mode="T1", octets=spoken(7), heard=1))
    assert 'href="/air"' in http.get("/").text
    told = http.get("/air").text
    assert "&lt;b&gt;" in told
    assert "<b>" not in told
    rows = http.get("/air", headers={"HX-Request": "true"}).text
    assert "<html" not in rows
    assert "mode 7" in rows
