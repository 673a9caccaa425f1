"""Telegrams built from values."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import LocalProtocolError
from meterway.stacks.p1.build import (
    PROFILES,
    ChannelValues,
    P1Values,
    PeakValues,
    PhaseValues,
    belgian,
    dutch,
    swedish,
    telegram_of,
)
from meterway.stacks.p1.telegram import decode, encode
from meterway.stacks.p1.values import value_of

pytestmark = pytest.mark.covers("IF-H1", "F6a")

NOW = datetime(2026, 7, 1, 10, 0, 7, tzinfo=UTC)
PEAK = PeakValues(
    power_w=3695, time=datetime(2026, 6, 23, 17, 15, tzinfo=UTC), period=datetime(2026, 6, 30, 22, tzinfo=UTC)
)
VALUES = P1Values(
    serial="MWY0001234567",
    time=NOW,
    energy_in_wh=(123_456_789, 1_000),
    energy_out_wh=(0, 42),
    reactive_in_varh=12,
    reactive_out_varh=34,
    power_in_w=1_193,
    phases=tuple(
        PhaseValues(power_in_w=400 * n, reactive_in_var=7, voltage_v=Decimal("230.1"), current_a=1.74, sags=n)
        for n in (1, 2, 3)
    ),
    tariff=2,
    failure_log=((datetime(2026, 1, 8, 14, 24, 15, tzinfo=UTC), 240),),
    message="Hello",
    demand_w=2_351,
    peak=PEAK,
    peaks=(PEAK,),
    channels=(
        ChannelValues(channel=1, device_type=3, serial="G1", time=NOW, value=Decimal("112.384"), valve=1),
        ChannelValues(channel=2, device_type=7, serial="W1", time=NOW, value=7),
    ),
)


def parts_of(telegram):
    return {entry.code: entry.parts for entry in decode(encode(telegram)).objects}


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_built_telegram_conforms(profile):
    octets = encode(telegram_of(VALUES, profile))
    read = decode(octets)
    assert read.quirks == ()
    assert encode(read) == octets
    assert all(value_of(entry).reason == "" for entry in read.objects)


def test_a_dutch_telegram_has_the_dutch_formats():
    parts = parts_of(dutch(VALUES))
    assert parts["0-0:1.0.0"] == ("260701120007S",)
    assert parts["1-0:1.8.1"] == ("123456.789*kWh",)
    assert parts["1-0:1.7.0"] == ("01.193*kW",)
    assert parts["1-0:52.7.0"] == ("230.1*V",)
    assert parts["1-0:71.7.0"] == ("002*A",)
    assert parts["1-0:52.32.0"] == ("00002",)
    assert parts["1-0:99.97.0"] == ("1", "0-0:96.7.19", "260108152415W", "0000000240*s")
    assert parts["0-0:96.13.0"] == ("48656C6C6F",)
    assert parts["0-2:24.2.1"] == ("260701120007S", "00007.000*m3")


def test_a_belgian_telegram_tells_the_peaks():
    parts = parts_of(belgian(VALUES))
    assert parts["1-0:1.4.0"] == ("02.351*kW",)
    assert parts["1-0:1.6.0"] == ("260623191500S", "03.695*kW")
    assert parts["0-0:98.1.0"] == ("1", "1-0:1.6.0", "1-0:1.6.0", "260701000000S", "260623191500S", "03.695*kW")
    assert parts["1-0:31.7.0"] == ("001.74*A",)
    assert parts["0-1:24.2.3"] == ("260701120007S", "00112.384*m3")
    assert parts["0-1:24.4.0"] == ("1",)
    assert "1-0:1.6.0" not in parts_of(belgian(replace(VALUES, peak=None)))


def test_a_swedish_telegram_has_totals_and_standard_time():
    parts = parts_of(swedish(VALUES))
    assert parts["0-0:1.0.0"] == ("260701110007W",)
    assert parts["1-0:1.8.0"] == ("00123457.789*kWh",)
    assert parts["1-0:3.7.0"] == ("0000.021*kVAr",)
    assert "1-0:1.8.1" not in parts


@given(st.integers(0, 10**12))
def test_a_register_rolls_over_like_one_of_nine_digits(energy):
    parts = parts_of(dutch(replace(VALUES, energy_in_wh=(energy,))))
    assert Decimal(parts["1-0:1.8.1"][0].removesuffix("*kWh")) * 1000 == energy % 10**9
    assert parts["1-0:1.8.2"] == ("000000.000*kWh",)


def test_a_negative_value_is_refused():
    with pytest.raises(LocalProtocolError, match="-1"):
        dutch(replace(VALUES, power_in_w=-1))


def test_an_unknown_profile_is_refused():
    with pytest.raises(LocalProtocolError, match="dsmr5, emucs, sweden"):
        telegram_of(VALUES, "martian")
