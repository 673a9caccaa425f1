"""Rules of collection."""

import pytest

from meterway.base.obis import Obis
from meterway.headend.rules import (
    CAUSES,
    ClockVerdict,
    is_worth_retrying,
    judge_clock,
    load_profile_of,
    missing_span,
)


@pytest.mark.parametrize(
    ("offset_s", "verdict"),
    [
        (0.0, ClockVerdict.GOOD),
        (-10.0, ClockVerdict.GOOD),
        (11.0, ClockVerdict.SHIFTED),
        (-86_400.0, ClockVerdict.SHIFTED),
        (86_401.0, ClockVerdict.INVALID),
        (-3e8, ClockVerdict.INVALID),
        (None, ClockVerdict.INVALID),
    ],
)
def test_a_clock_is_judged_by_how_far_it_is_off(offset_s: float | None, verdict: ClockVerdict) -> None:
    assert judge_clock(offset_s) is verdict


def test_a_wrong_key_is_not_tried_again_and_again() -> None:
    assert not is_worth_retrying("authentication")
    assert not is_worth_retrying("config")
    assert is_worth_retrying("link")
    assert is_worth_retrying("store")
    assert all(is_worth_retrying(cause) in (True, False) and words for cause, words in CAUSES.items())


def test_one_span_covers_all_gaps_that_have_ended() -> None:
    assert missing_span([(900, 1800), (3600, 9000)], period_s=900, up_to_s=5000) == (900.0, 4500.0)
    assert missing_span([(900, 1800)], period_s=900, up_to_s=5000) == (900.0, 900.0)


def test_nothing_missing_or_nothing_ended_is_no_span() -> None:
    assert missing_span([], period_s=900, up_to_s=5000) is None
    assert missing_span([(5400, 6300)], period_s=900, up_to_s=5000) is None


def test_the_load_profile_of_a_meter_behind_a_gateway_is_its_mbus_profile() -> None:
    usual, mbus, daily = Obis(1, 0, 99, 1, 0), Obis(0, 1, 24, 3, 0), Obis(1, 0, 99, 2, 0)
    assert load_profile_of([daily, mbus, usual], usual) == usual
    assert load_profile_of([daily, mbus], usual) == mbus
    assert load_profile_of([daily], usual) == usual
