"""Radio modes: what the table says of time on the air."""

from __future__ import annotations

import pytest

from meterway.stacks.mbus.wireless.modes import DOWNLINK, MODES, RESPONSES, SLOW_RESPONSES, ResponseWindow, duration_s


def test_a_frame_takes_its_chips_over_the_rate() -> None:
    assert duration_s(MODES["T1"], bytes(100)) == pytest.approx(0.01248)
    assert duration_s(MODES["C1"], bytes(100)) == pytest.approx(0.00864)


def test_fast_modes_are_shorter_on_the_air_than_slow_ones() -> None:
    order = ["C1", "T1", "N2g", "S2", "S1", "N1a", "N1c"]
    times = [duration_s(MODES[name], bytes(100)) for name in order]
    assert times == sorted(times)


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize(("mode", "answer_s"), [("T", 0.002), ("S", 0.010), ("C", 0.100)])
def test_the_delay_that_a_maker_of_masters_prints_lies_in_the_window(mode: str, answer_s: float) -> None:
    window = RESPONSES[mode]
    assert window.opens_s <= answer_s <= window.closes_s


def test_fast_and_slow_answers_cannot_be_mistaken_for_each_other() -> None:
    assert SLOW_RESPONSES["C"].opens_s <= 1.0 <= SLOW_RESPONSES["C"].closes_s
    assert SLOW_RESPONSES["C"].opens_s > RESPONSES["C"].closes_s


@pytest.mark.parametrize("window", [*RESPONSES.values(), *SLOW_RESPONSES.values()])
def test_a_partner_aims_within_the_window(window: ResponseWindow) -> None:
    assert window.opens_s <= window.aim_s <= window.closes_s


def test_a_partner_answers_in_a_mode_of_its_own_direction() -> None:
    assert {letter: MODES[name].name[0] for letter, name in DOWNLINK.items()} == {"S": "S", "T": "T", "C": "C"}
