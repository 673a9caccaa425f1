"""A load controller: orders, offsets, overrides, limits, emergencies, signals, its programme, its log."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from home_loads import CAR, EVENING, HEAT_PUMP, HEATER, controller, order
from meterway.home.device import RefusedError
from meterway.home.events import Code
from meterway.home.rules import Cause
from meterway.mapping.home import Signal, SignalKind
from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.classes.limiter import EmergencyProfile
from meterway.stacks.dlms.classes.schedule import ExecutionTime


def codes(device):
    return [event.code for event in device.events]


def at(moment):
    return CosemDateTime.from_utc(datetime.fromtimestamp(moment, UTC), 0)


def emergency(device, threshold=0, duration=1800, profile_id=1, start=EVENING):
    held = EmergencyProfile(profile_id=profile_id, activation_time=at(start), duration=duration)
    return replace(device.limiter, threshold_emergency=threshold, emergency=held)


@pytest.mark.covers("F5b", "UC-DR-02")
def test_an_order_holds_for_its_duration_and_no_longer():
    device = controller()
    device.order(order(relays=1, duration_s=900), EVENING)
    assert (device.closed, device.causes[0]) == ([False, True], Cause.ORDER)
    device.advance(EVENING + 899)
    assert not device.closed[0]
    device.advance(EVENING + 900)
    assert device.closed == [True, True]


def test_an_order_without_a_duration_holds_as_long_as_the_device_says():
    device = controller(hold_s=600)
    device.switch(1, on=False, now=EVENING)
    device.advance(EVENING + 300)
    assert not device.closed[0]
    device.advance(EVENING + 901)
    assert device.closed[0]


@pytest.mark.covers("F5f")
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000), ident=st.integers(1, 2**32 - 1), offset=st.integers(1, 3600), wait=st.integers(0, 900)
)
def test_nothing_switches_before_its_offset_or_after_the_longest(seed, ident, offset, wait):
    device = controller(seed=seed, relays=(HEATER,))
    device.order(order(ident, start=int(EVENING) + wait, duration_s=7200, offset_s=offset), EVENING)
    device.advance(EVENING + wait + offset + 7200 + offset + 1)
    moments = {one.code: one.time_s for one in device.events if one.relay}
    off, on = moments[Code.SWITCHED_OFF], moments[Code.SWITCHED_ON]
    assert EVENING + wait <= off <= EVENING + wait + offset
    assert on - off == pytest.approx(7200)


@pytest.mark.covers("F5f")
def test_devices_wait_differently_and_each_always_the_same():
    def switched(serial):
        device = controller(serial=serial, relays=(HEATER,))
        device.order(order(7, duration_s=7200, offset_s=600), EVENING)
        device.advance(EVENING + 601)
        return next(one.time_s for one in device.events if one.code is Code.SWITCHED_OFF)

    moments = [switched(f"H{number}") for number in range(200)]
    assert moments == [switched(f"H{number}") for number in range(200)]
    assert min(moments) < EVENING + 30 and max(moments) > EVENING + 570
    assert len({int(one) for one in moments}) > 140  # of 600 seconds, 170 are expected by chance


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"expires": int(EVENING) - 1}, "after it expired"),
        ({"start": int(EVENING) - 900, "duration_s": 900}, "it is over"),
        ({"duration_s": 90_000}, "too long"),
        ({"start": int(EVENING) + 8 * 86400}, "too far off"),
        ({"relays": 0b100}, "no such relay"),
    ],
)
def test_an_order_that_cannot_be_is_refused_and_logged(wrong, why):
    device = controller()
    with pytest.raises(RefusedError, match=why):
        device.order(order(**wrong), EVENING)
    assert codes(device)[-1] is Code.ORDER_REFUSED
    assert device.closed == [True, True]


@pytest.mark.covers("F5b", "F5d", "UC-DR-04")
@pytest.mark.parametrize(("consent", "programme"), [(False, ""), (True, ""), (False, "PEAK")])
def test_without_consent_and_programme_only_an_emergency_is_obeyed(consent, programme):
    device = controller(consent=consent, programme=programme)
    with pytest.raises(RefusedError, match="no programme") as refused:
        device.order(order(duration_s=900), EVENING)
    assert refused.value.is_denied
    device.order(order(2, duration_s=900, emergency=True), EVENING)
    assert device.closed == [False, False]


@pytest.mark.covers("F5d", "UC-DR-04")
def test_a_device_is_registered_with_consent_and_released_when_it_is_revoked():
    device = controller(consent=False, programme="")
    with pytest.raises(RefusedError, match="consent"):
        device.enrol("PEAK", EVENING)
    device.agree(consent=True, now=EVENING)
    device.enrol("PEAK", EVENING)
    device.order(order(duration_s=900), EVENING)
    assert device.closed == [False, False]
    device.agree(consent=False, now=EVENING + 60)
    assert (device.closed, device.programme) == ([True, True], "")
    assert {Code.CONSENT_GIVEN, Code.ENROLLED, Code.CONSENT_REVOKED} <= set(codes(device))


@pytest.mark.covers("F5b")
def test_the_consumer_overrides_an_order_for_a_while():
    device = controller(override_s=600)
    device.order(order(relays=1, duration_s=3600), EVENING)
    device.override(0, on=True, now=EVENING + 60)
    assert (device.closed[0], device.causes[0]) == (True, Cause.OVERRIDE)
    device.advance(EVENING + 661)
    assert (device.closed[0], device.causes[0]) == (False, Cause.ORDER)


def test_overrides_are_counted_and_some_relays_have_none():
    fixed = CAR.__class__(kind=CAR.kind, may_override=False)
    device = controller(relays=(HEATER, fixed), overrides_per_day=2)
    with pytest.raises(RefusedError, match="no override"):
        device.override(1, on=False, now=EVENING)
    for minute in range(2):
        device.override(0, on=False, now=EVENING + minute * 60)
        device.override(0, on=True, now=EVENING + minute * 60 + 30)
    with pytest.raises(RefusedError, match="used up"):
        device.override(0, on=False, now=EVENING + 300)
    device.override(0, on=False, now=EVENING + 4 * 3600)  # the next day


@pytest.mark.covers("F5e", "UC-DR-05")
def test_an_override_lifts_no_emergency():
    device = controller()
    device.override(0, on=False, now=EVENING)
    device.override(0, on=True, now=EVENING)
    device.order(order(1, duration_s=900, emergency=True), EVENING)
    with pytest.raises(RefusedError, match="emergency goes before"):
        device.override(0, on=True, now=EVENING + 60)
    assert device.closed == [False, False]
    device.order(order(2, on=True, emergency=True), EVENING + 120)
    assert device.closed == [True, True]
    assert {Code.EMERGENCY, Code.EMERGENCY_ENDED, Code.OVERRIDE_REFUSED} <= set(codes(device))


@pytest.mark.covers("F5e", "UC-DR-05")
def test_the_emergency_profile_cuts_at_once_what_goes_beyond_its_threshold():
    device = controller(relays=(HEATER, CAR), consent=False, offset_s=120)
    device.limit(emergency(device, threshold=2500), EVENING)
    assert (device.closed, device.causes[1]) == ([True, False], Cause.EMERGENCY)
    assert device.emergency_active(EVENING) and device.threshold_w(EVENING) == 2500
    device.advance(EVENING + 1799)
    assert not device.closed[1]
    device.advance(EVENING + 1800 + 121)
    assert device.closed[1] and not device.emergency_active(EVENING + 1921)
    switched = next(one.time_s for one in reversed(device.events) if one.code is Code.SWITCHED_ON)
    assert EVENING + 1800 < switched < EVENING + 1920  # it comes back at a random time


def test_an_emergency_profile_of_another_group_is_none_and_another_ends_it():
    device = controller(offset_s=0)
    device.limit(emergency(device, profile_id=9), EVENING)
    assert device.closed == [True, True]
    device.limit(emergency(device), EVENING)
    assert device.closed == [False, False]
    device.limit(replace(device.limiter, emergency=None), EVENING + 60)
    assert device.closed == [True, True]


@pytest.mark.covers("F5a", "UC-DR-03")
def test_a_limit_is_kept_while_it_is_told():
    device = controller(relays=(HEAT_PUMP, HEATER), offset_s=0)
    device.tell(
        Signal(ident=4, kind=SignalKind.LIMIT, value=2999, start=int(EVENING), end=int(EVENING) + 7200), EVENING
    )
    for minute in range(0, 121):
        now = EVENING + minute * 60
        device.advance(now)
        if Cause.LIMIT in device.causes:
            assert device.total_w(now) <= 2999
    assert Code.LIMIT_KEPT in codes(device)
    device.advance(EVENING + 7200 + 61)
    assert Cause.LIMIT not in device.causes and Code.LIMIT_OVER in codes(device)


@pytest.mark.covers("F5a", "UC-DR-01")
def test_a_signal_is_shown_while_it_is_valid_and_acknowledged():
    device = controller()
    told = Signal(ident=9, kind=SignalKind.PRICE, value=31500, end=int(EVENING) + 3600, wants_answer=True)
    device.tell(told, EVENING)
    assert device.signals(EVENING) == [(told, False)]
    device.acknowledge(9, EVENING + 5)
    assert device.signals(EVENING + 5) == [(told, True)]
    assert device.signals(EVENING + 3600) == []
    with pytest.raises(RefusedError, match="no such signal"):
        device.acknowledge(10, EVENING)
    for ident in range(100, 140):
        device.tell(replace(told, ident=ident), EVENING + 10)
    assert len(device.signals(EVENING + 10)) == 16
    with pytest.raises(RefusedError, match="over"):
        device.tell(told, EVENING + 3600)


@pytest.mark.covers("F5c")
def test_consumption_drops_while_a_load_is_held_off():
    free, held = controller(relays=(HEAT_PUMP,)), controller(relays=(HEAT_PUMP,))
    held.order(order(duration_s=6 * 3600), EVENING)
    for device in (free, held):
        device.advance(EVENING + 8 * 3600)
    assert held.energy_wh(0) < free.energy_wh(0) / 2
    assert held.rows[-1].energy_wh == held.energy_wh(0)
    assert [row.time_s for row in held.rows] == [EVENING + hour * 3600 for hour in range(1, 9)]
    assert [row.closed for row in held.rows] == [0] * 6 + [1] * 2  # as it stood up to then


def test_a_schedule_runs_its_script():
    device = controller(offset_s=0, hold_s=1800)
    when = ExecutionTime(
        time=CosemTime(hour=22, minute=0, second=0, hundredths=0), date=CosemDate(year=2026, month=11, day=23)
    )
    device.schedule = (when,)
    assert device.next_due(EVENING) == EVENING + 3600
    device.advance(EVENING + 3599)
    assert device.closed == [True, True]
    device.advance(EVENING + 3601)
    assert device.closed == [False, False]
    device.advance(EVENING + 3600 + 1801)
    assert device.closed == [True, True]
    with pytest.raises(RefusedError, match="no such script"):
        device.run_script(3, EVENING + 6000)


def test_a_clock_that_is_set_moves_what_is_timed():
    device = controller(offset_s=0)
    device.order(order(duration_s=3600), EVENING)
    device.set_clock(EVENING + 4000, EVENING + 10)
    assert device.clock(EVENING + 10) == EVENING + 4000
    assert device.closed == [True, True]


steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["order", "emergency", "off", "on", "press on", "press off", "limit", "revoke", "agree", "wait"]
        ),
        st.integers(0, 2),
        st.integers(1, 4000),
    ),
    max_size=25,
)


@pytest.mark.covers("F5e", "F5b")
@settings(max_examples=80, deadline=None)
@given(steps=steps)
def test_whatever_comes_an_emergency_is_off_and_orders_end(steps):
    device = controller(relays=(HEATER, CAR), overrides_per_day=50)
    now = EVENING
    for number, (what, relays, wait) in enumerate(steps, 1):
        try:
            match what:
                case "order":
                    device.order(order(number, relays=relays, duration_s=wait, offset_s=wait // 3), now)
                case "emergency":
                    device.order(order(number, relays=relays, duration_s=wait, emergency=True), now)
                case "off" | "on":
                    device.switch(relays, on=what == "on", now=now)
                case "press on" | "press off":
                    device.override(relays, on=what == "press on", now=now)
                case "limit":
                    device.limit(emergency(device, wait, wait, start=now), now)
                case "revoke" | "agree":
                    device.agree(consent=what == "agree", now=now)
                case _:
                    now += wait
        except RefusedError:
            pass
        device.advance(now)
        for place, relay in enumerate(device.relays):
            assert not (device.closed[place] and any(one.holds(now) for one in relay.emergencies))
            assert device.closed[place] is relay.decide(now)[0]
        assert device.next_due(now) > now
    device.advance(now + 2 * 86400)
    assert device.closed == [True, True]
