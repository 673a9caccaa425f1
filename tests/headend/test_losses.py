"""The drawing of losses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.headend.losses import Loss, loss_charts

pytestmark = pytest.mark.covers("E-HES-12")


def loss(share: float | None = 0.03, verdict: str = "within", date: str = "2026-11-01") -> Loss:
    return Loss(
        date=date, given=100.0, lost=(share or 0) * 100, share=share, low=-0.02, high=0.06, complete=1.0,
        verdict=verdict, revision=1, judged="", lacking=0, missing=[],
    )  # fmt: skip


def test_there_is_one_drawing_for_each_width_and_none_without_days() -> None:
    assert loss_charts([]) == []
    wide, narrow = loss_charts([loss() for _ in range(31)])
    assert (wide.name, len(wide.bars), narrow.name, len(narrow.bars)) == ("wide", 31, "narrow", 10)


def test_a_bar_stands_on_zero_and_one_below_hangs_from_it() -> None:
    chart = loss_charts([loss(0.05), loss(-0.05, "beyond")])[0]
    up, down = chart.bars
    assert up.y + up.height == pytest.approx(chart.zero, abs=0.2)
    assert down.y == pytest.approx(chart.zero, abs=0.2)
    assert up.height == pytest.approx(down.height, abs=0.3)
    assert chart.band[0] < chart.zero < chart.band[0] + chart.band[1]


def test_a_day_that_is_not_judged_is_a_stub_and_scales_nothing() -> None:
    plain, odd = loss_charts([loss()])[0], loss_charts([loss(), loss(0.9, "open"), loss(None, "open")])[0]
    assert odd.lines == plain.lines
    assert [bar.height for bar in odd.bars[1:]] == [2.0, 2.0]


@given(st.lists(st.tuples(st.none() | st.floats(-3, 3), st.sampled_from(["within", "beyond", "open"])), min_size=1))
def test_everything_is_drawn_within_its_frame(days: list[tuple[float | None, str]]) -> None:
    for chart in loss_charts([loss(share, verdict) for share, verdict in days]):
        assert 2 <= len(chart.lines) <= 8
        for bar in chart.bars:
            assert chart.left <= bar.x <= bar.x + bar.width <= chart.width
            assert 0 <= bar.y <= bar.y + bar.height <= chart.height
