"""Plausibility, rights, windows: pure decisions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.obis import Obis
from meterway.interfaces.mbus.mirror import Mirrored
from meterway.interfaces.mbus.rules import (
    Limits,
    Party,
    Right,
    Verdict,
    Window,
    is_cumulative,
    is_silent,
    judge,
    next_poll,
    rescaled,
    search_order,
)
from meterway.mapping.mbus_cosem import Measured

WATER = Obis(8, 0, 1, 0, 0)
LAST = Mirrored(WATER, 100_000, -3, 13, 1000.0, device_s=1000.0)


def verdicts(
    raw: int, *, scaler: int = -3, after_s: float = 3600.0, device_s: float | None = None
) -> tuple[Verdict, ...]:
    new = Measured(WATER, raw, scaler, 13)
    return judge(LAST, new, received_s=1000.0 + after_s, device_s=device_s, limits=Limits())


@pytest.mark.covers("F6a")
@pytest.mark.parametrize(
    ("raw", "expected"),
    [(100_000, ()), (100_500, ()), (99_999, (Verdict.FELL,)), (900_000, (Verdict.JUMPED,))],
)
def test_a_register_rises_as_far_as_a_pipe_can_carry(raw: int, expected: tuple[Verdict, ...]) -> None:
    assert verdicts(raw) == expected


def test_a_register_that_begins_again_at_zero_did_not_fall() -> None:
    last = LAST._replace(raw=99_999_950)
    new = Measured(WATER, 12, -3, 13)
    assert judge(last, new, received_s=5000.0, device_s=None, limits=Limits()) == (Verdict.ROLLED_OVER,)


def test_a_coarser_telegram_is_no_fall() -> None:
    assert verdicts(100, scaler=0) == ()


def test_the_meters_time_is_judged() -> None:
    assert verdicts(100_001, after_s=60.0, device_s=900.0) == (Verdict.TIME_BACKWARDS,)
    assert Verdict.CLOCK_OFF in verdicts(100_001, device_s=1e6)


@given(st.integers(0, 10**9), st.integers(-6, 3), st.integers(-6, 3))
def test_rescaling_never_gives_more_than_there_was(raw: int, scaler: int, wanted: int) -> None:
    shown = rescaled(raw, scaler, wanted)
    assert shown * 10.0**wanted <= raw * 10.0**scaler * (1 + 1e-9)
    assert scaler < wanted or shown * 10.0**wanted == pytest.approx(raw * 10.0**scaler)


def test_flows_and_due_date_values_may_fall() -> None:
    assert is_cumulative(WATER)
    assert not is_cumulative(Obis(8, 0, 2, 0, 0))
    assert not is_cumulative(Obis(8, 0, 1, 2, 0))
    assert not is_cumulative(Obis(1, 0, 1, 7, 0))


@pytest.mark.covers("SEC-03", "SEC-13")
def test_what_is_not_given_is_denied() -> None:
    nobody = Party(name="x", client=5)
    assert not any(nobody.may(right, channel) for right in Right for channel in range(4))
    gas = Party(name="gas", client=6, channels=frozenset({2}), rights=Right.READ | Right.COMMAND)
    assert gas.may(Right.COMMAND, 2)
    assert not gas.may(Right.COMMAND, 1)
    assert not gas.may(Right.CONFIGURE, 2)
    assert not gas.may(Right.READ, 0)
    assert Party(name="all", client=1, channels=None).may(Right.READ, 77)


@given(st.floats(0, 1e6), st.floats(10, 1e4), st.floats(0.1, 0.9))
def test_a_window_opens_when_it_says(now: float, every_s: float, share: float) -> None:
    window = Window(every_s=every_s, length_s=every_s * share)
    assert now <= window.next_open(now) <= now + every_s
    assert window.is_open(window.next_open(now) + every_s * share / 2) or window.is_open(now)


def test_polls_are_spread_and_never_in_the_past() -> None:
    times = {next_poll(1000.0, every_s=900, name=f"m{number}") for number in range(50)}
    assert len(times) > 40
    assert all(1000.0 < time <= 1900.0 for time in times)


def test_a_meter_never_heard_is_not_silent() -> None:
    assert not is_silent(0.0, 1e9, after_s=10)
    assert is_silent(100.0, 111.0, after_s=10)


@pytest.mark.covers("UC-IN-01")
def test_discovery_has_a_priority() -> None:
    assert search_order("secondary-first") == ("secondary", "primary")
    assert search_order("primary-first") == ("primary", "secondary")
    assert search_order("primary-first", ["primary"]) == ()
