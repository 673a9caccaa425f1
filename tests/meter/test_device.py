"""What a virtual meter is and does."""

import gc
import tracemalloc
from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.meter.config import MeterConfig
from meterway.meter.device import Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.keys import Keys
from meterway.meter.load import LoadKind
from meterway.meter.profile_rows import periodic_rows
from meterway.meter.tariff import TARIFF_SCRIPTS, TARIFFS, plan_of
from meterway.stacks.dlms.axdr import CosemDate, CosemTime
from meterway.stacks.dlms.classes.activity_calendar import Calendar, DayAction, DayProfile, SpecialDay
from meterway.stacks.dlms.classes.disconnect_control import ControlState, Mover, Supply

Make = Callable[..., Meter]
DAY = 86400
JANUARY = date(2026, 1, 1)
FLAT = plan_of(
    Calendar(
        name=b"FLAT",
        seasons=(),
        weeks=(),
        days=(
            DayProfile(
                day_id=3, actions=(DayAction(start=CosemTime(hour=0), script_table=TARIFF_SCRIPTS, selector=3),)
            ),
        ),
    ),
    (SpecialDay(index=1, date=CosemDate(), day_id=3),),
)


def utc(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type]


@pytest.mark.covers("F3a", "E-MET")
@given(
    kind=st.sampled_from(LoadKind),
    moments=st.lists(st.floats(utc(2026, 1, 2), utc(2026, 12, 30)), min_size=1, max_size=4),
)
def test_tariff_registers_sum_to_the_total_exactly_whatever_was_asked_before(
    kind: LoadKind, moments: list[float]
) -> None:
    meter = Meter(MeterConfig(serial="M1", keys=Keys.derive(bytes(16), "M1"), kind=kind, installed=JANUARY))
    fresh = Meter(meter.config)
    for moment in moments:
        rates = meter.rates_at(moment)
        assert sum(rates[:TARIFFS]) == meter.energy_at(moment)[0]
        assert sum(rates[TARIFFS:]) == meter.energy_at(moment)[1]
    assert fresh.rates_at(moments[-1]) == rates


@pytest.mark.covers("F3a", "UC-BI-03", "E-ADD", "F3")
def test_a_new_calendar_moves_energy_to_its_tariff_from_the_next_quarter_hour_on(make: Make, now: float) -> None:
    meter = make()
    meter.activate(FLAT, now)
    assert meter.tariff(now) == 2
    switch = (now // 900 + 1) * 900
    assert meter.tariff(switch) == 3
    later = meter.rates_at(switch + 2 * DAY)
    assert later[2] == meter.energy_at(switch + 2 * DAY)[0] - meter.energy_at(switch)[0]
    assert meter.rates_at(switch)[2] == 0
    codes = [event.code for event in meter.log_events(Log.STANDARD, now - 60, now + 60, now)]
    assert codes == [EventCode.TARIFF_CALENDAR_ACTIVATED]


@pytest.mark.covers("F2a", "UC-EV-05")
def test_an_outage_leaves_no_rows_no_energy_two_events_and_a_mark_on_the_next_row(make: Make, now: float) -> None:
    whole, meter = make(), make()
    start, end = now - 7200.0, now - 3600.0
    meter.add_outage(start, end)
    rows = periodic_rows(meter, 900, int(start // 900), int(now // 900))
    assert not ((rows.times_s >= start) & (rows.times_s < end)).any()
    after = rows.times_s >= end
    assert rows.status[after][0] & 0x80
    lost = whole.energy_at(end)[0] - whole.energy_at(start)[0]
    assert whole.energy_at(now)[0] - meter.energy_at(now)[0] == lost
    assert rows.values[-1][0] == meter.energy_at(float(rows.times_s[-1]))[0]
    assert sum(meter.rates_at(now)[:4]) == meter.energy_at(now)[0]
    codes = [event.code for event in meter.log_events(Log.STANDARD, start - 1, end + 1, now)]
    assert codes == [EventCode.POWER_DOWN, EventCode.POWER_UP]
    assert meter.alarms == 1 << 16 | 1 << 17


@pytest.mark.covers("F4a", "UC-BI-05")
def test_no_energy_flows_while_the_supply_is_disconnected(make: Make, now: float) -> None:
    meter = make(disconnect_mode=4)
    before = meter.energy_at(now)
    assert meter.move(Mover.REMOTE, Supply.OFF, now)
    assert meter.control_state is ControlState.DISCONNECTED
    assert meter.energy_at(now + 5000) == before
    assert meter.network(now + 10).import_w == 0
    assert meter.network(now + 10).voltages_v[0] > 200
    assert not meter.move(Mover.REMOTE, Supply.OFF, now + 5)
    assert meter.move(Mover.REMOTE, Supply.ON, now + 6000)
    assert meter.energy_at(now + 9000)[0] > before[0]
    codes = [event.code for event in meter.log_events(Log.DISCONNECTOR, now, now + 7000, now + 7000)]
    assert codes == [EventCode.REMOTE_DISCONNECTION, EventCode.REMOTE_CONNECTION]


@pytest.mark.covers("F4b", "UC-BI-05")
def test_a_mode_that_wants_a_person_only_arms_the_switch_from_remote(make: Make, now: float) -> None:
    meter = make(disconnect_mode=1)
    meter.move(Mover.REMOTE, Supply.OFF, now)
    assert meter.move(Mover.REMOTE, Supply.ON, now + 10)
    assert meter.control_state is ControlState.READY_FOR_RECONNECTION
    assert meter.energy_at(now + 1000) == meter.energy_at(now)
    assert meter.move(Mover.MANUAL, Supply.ON, now + 1000)
    assert meter.control_state is ControlState.CONNECTED


def test_an_outage_during_a_disconnection_is_not_counted_twice(make: Make, now: float) -> None:
    meter = make()
    meter.move(Mover.REMOTE, Supply.OFF, now)
    held = meter.energy_at(now)
    meter.cut_supply(now + 100)
    assert meter.is_dark
    meter.restore_supply(now + 2000)
    meter.move(Mover.REMOTE, Supply.ON, now + 5000)
    assert meter.energy_at(now + 5000) == held
    slots = meter.energy_slots(int(now // 900) + 1, 5)
    assert (slots == np.array(held)).all()


@pytest.mark.covers("UC-IN-02")
def test_a_clock_drifts_until_it_is_set_and_the_jump_is_logged(make: Make, now: float) -> None:
    meter = make(drift_ppm=50.0, clock_offset_s=2.0)
    assert meter.clock(now) - now == pytest.approx(2.0 + (now - meter.installed_s) * 50e-6)
    meter.set_clock(now, now)
    assert meter.clock(now) == now
    assert meter.clock(now + 1_000_000) - now == pytest.approx(1_000_050.0)
    codes = [event.code for event in meter.log_events(Log.STANDARD, now - 10, now + 1000, now)]
    assert codes == [EventCode.CLOCK_ADJUSTED_NEW, EventCode.CLOCK_ADJUSTED_OLD]  # by what the clock said
    rows = periodic_rows(meter, 900, int(now // 900), int(now // 900) + 1)
    assert rows.status.tolist() == [0, 0x20]


def test_logs_have_a_plausible_past_that_never_changes_and_can_be_cleared(make: Make, now: float) -> None:
    meters = [make(f"M{number:04}") for number in range(40)]
    counts = [len(meter.log_events(Log.STANDARD, 0, now, now)) for meter in meters]
    assert 1 <= np.mean(counts) < 12
    quality = meters[3].log_events(Log.QUALITY, 0, now, now)
    assert quality == make("M0003").log_events(Log.QUALITY, 0, now, now)
    assert all(76 <= event.code <= 87 for event in quality)
    assert meters[0].log_events(Log.FRAUD, 0, now, now)[0].code == EventCode.TERMINAL_COVER_REMOVED
    meters[0].clear_log(Log.FRAUD, now)
    assert [event.code for event in meters[0].log_events(Log.FRAUD, 0, now, now)] == [EventCode.LOG_CLEARED]


def test_the_highest_demand_is_the_quarter_hour_with_most_energy(make: Make, now: float) -> None:
    meter = make()
    start = meter.zone.month_start(now)
    watts, when = meter.demand_max(start, now)
    spent = meter.energy_at(when)[0] - meter.energy_at(when - 900)[0]
    assert watts == 4 * spent
    every = np.diff(meter.energy_slots(start // 900, int(now // 900) - start // 900 + 1)[:, 0])
    assert spent == every.max()


def test_a_meter_with_nothing_changed_takes_at_most_two_kilobytes(now: float) -> None:
    """Memory of 500 meters with their settings, keys and after a first reading of the tariff registers."""
    Meter(MeterConfig(serial="M0", keys=Keys.derive(bytes(16), "M0"))).rates_at(now)
    gc.collect()
    tracemalloc.start()
    meters = [Meter(MeterConfig(serial=f"MEM{n:05}", keys=Keys.derive(bytes(16), f"MEM{n:05}"))) for n in range(500)]
    for meter in meters:
        meter.rates_at(now)
    gc.collect()
    size = tracemalloc.get_traced_memory()[0] / len(meters)
    tracemalloc.stop()
    assert size <= 2000
