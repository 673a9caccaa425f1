"""Radio modes: what the table says of time on the air."""

from __future__ import annotations

import pytest

from meterway.stacks.mbus.wireless.modes import MODES, duration_s


def test_a_frame_takes_its_chips_over_the_rate() -> None:
    assert duration_s(MODES["T1"], bytes(100)) == pytest.approx(0.01248)
    assert duration_s(MODES["C1"], bytes(100)) == pytest.approx(0.00864)


def test_fast_modes_are_shorter_on_the_air_than_slow_ones() -> None:
    order = ["C1", "T1", "N2g", "S2", "S1", "N1a", "N1c"]
    times = [duration_s(MODES[name], bytes(100)) for name in order]
    assert times == sorted(times)
