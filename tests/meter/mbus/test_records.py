"""What a meter tells is what it measured, in every kind of meter, and comes back octet for octet."""

# ruff: noqa: DTZ001  a meter's clock has no zone

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.meter.mbus import records
from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.device import Alarm, Condition, MbusMeter
from meterway.meter.mbus.usage import Utility
from meterway.meter.mbus.valve import Input
from meterway.stacks.mbus.records.profiles import expand
from meterway.stacks.mbus.records.record import Record, decode_records

NOW = 1_795_446_000.0
SCALE = {Utility.GAS: 0.001, Utility.WATER: 0.001, Utility.HEAT_COST: 0.001}
QUANTITY = {Utility.GAS: "volume", Utility.WATER: "volume", Utility.HEAT_COST: "heat cost units"}


def meter_of(utility: Utility, **more: object) -> MbusMeter:
    return MbusMeter(MeterConfig(ident="12345678", utility=utility, security=0, **more))  # type: ignore[arg-type]


def only(found: list[Record], vif: str, **wanted: int) -> Record:
    (one,) = [
        record
        for record in found
        if record.head.vif == vif and all(getattr(record, name) == value for name, value in wanted.items())
    ]
    return one


def main_vif(utility: Utility) -> str:
    if utility is Utility.ELECTRICITY:
        return "03"
    return {"volume": "13", "heat cost units": "6E"}.get(QUANTITY.get(utility, ""), "06")


def told(meter: MbusMeter, register: int) -> float:
    if meter.config.utility is Utility.ELECTRICITY:
        return register
    if meter.config.utility is Utility.HEAT_COST:
        return register // 1000
    return register / 1000 if meter.config.utility in SCALE else register // 1000 * 1000


@pytest.mark.covers("E-MED", "IF-M", "F1a")
@pytest.mark.parametrize("utility", list(Utility))
def test_every_kind_tells_its_registers_of_now_of_the_due_date_and_of_twelve_months(utility: Utility) -> None:
    meter = meter_of(utility)
    octets = [b"".join(one.encode() for one in part) for part in records.everything(meter, NOW)]
    assert all(len(part) < 240 for part in octets)
    contents = [decode_records(part) for part in octets]
    assert [content.encode() for content in contents] == octets
    found = [record for content in contents for record in content.records]
    vif = main_vif(utility)
    for channel, code in enumerate((vif, "863C")[: meter.usage.channels]):
        assert only(found, code, storage=0).value == told(meter, meter.at(NOW)[channel])
        due = meter.at(meter.unix_of(datetime(2026, 1, 1)))[channel]
        assert only(found, code, storage=1).value == told(meter, due)
        base = meter.at(meter.unix_of(datetime(2026, 11, 1)))[channel]
        assert only(found, code, storage=8).value == told(meter, base)
    assert only(found, "6C", storage=1).value == date(2026, 1, 1)
    assert only(found, "6D").value == datetime(2026, 11, 23, 15, 0)
    assert only(found, "78").value == "12345678"
    months = expand(tuple(found))
    assert len(months) == 11 * meter.usage.channels
    for one in months:
        assert isinstance(one.time, date)
        moment = meter.unix_of(datetime(one.time.year, one.time.month, 1))
        cold = "negative contributions only" in one.record.head.notes
        assert one.record.value == told(meter, meter.at(moment)[cold])
        assert one.record.storage == 8 + (2026 - one.time.year) * 12 + 11 - one.time.month


@pytest.mark.covers("F2a")
def test_a_water_meter_tells_its_flow_its_leak_and_what_flowed_back() -> None:
    meter = meter_of(Utility.WATER)
    meter.begin(Condition.BACK_FLOW, NOW - 3600, rate=25)
    meter.raise_alarm(Alarm.MAGNET)
    found = records.current(meter, NOW)
    assert only(found, "933C").value == 0.025
    assert only(found, "FD17").value == Alarm.BACK_FLOW | Alarm.MAGNET
    assert only(found, "3B").value == meter.rates(NOW)[0] / 1000


@pytest.mark.covers("F4a", "E-MED")
def test_a_gas_meter_tells_both_volumes_its_temperature_and_its_valve() -> None:
    meter = meter_of(Utility.GAS, valve=True)
    meter.move_valve(Input.CLOSE, NOW)
    found = records.current(meter, NOW)
    billed = only(found, "13").value
    assert isinstance(billed, float)
    assert only(found, "933A").value == pytest.approx(billed * meter.usage.unconverted_share, abs=0.001)
    assert only(found, "5A").value == meter.usage.gas_temperature_c
    assert only(found, "FD1A").value == 0
    assert only(found, "3B").value == 0
    assert not [one for one in records.current(meter_of(Utility.GAS), NOW) if one.head.vif == "FD1A"]


def test_energy_power_volume_flow_and_temperatures_of_a_heat_meter_agree() -> None:
    found = records.current(meter_of(Utility.HEAT), NOW)
    power, flow = only(found, "2B").value, only(found, "3B").value
    forward, back = only(found, "5A").value, only(found, "5E").value
    assert isinstance(forward, float)
    assert isinstance(back, float)
    assert isinstance(flow, float)
    assert flow * 1163 * (forward - back) == pytest.approx(power, rel=0.03)


def test_without_months_there_is_no_history_and_with_one_no_profile() -> None:
    assert records.history(meter_of(Utility.WATER, months=0), NOW) == []
    assert len(records.everything(meter_of(Utility.WATER, months=0), NOW)) == 1
    assert [one.head.kind for one in records.history(meter_of(Utility.WATER, months=1), NOW)] == ["time", "number"]


@settings(max_examples=40)
@given(st.sampled_from(Utility), st.integers(0, 15), st.integers(0, 1 << 50), st.floats(1.6e9, 2.5e9))
def test_any_meter_at_any_time_fits_its_telegrams(utility: Utility, months: int, seed: int, now: float) -> None:
    meter = meter_of(utility, months=months, seed=seed)
    for part in records.everything(meter, now):
        octets = b"".join(record.encode() for record in part)
        assert len(octets) <= 230
        assert decode_records(octets).encode() == octets
    assert np.all(np.diff([meter.at(now - step)[0] for step in (86400, 0)]) >= 0)
