"""Concentrators as pages ask for them; what the pages show of it is tested with the pages."""

from __future__ import annotations

import pytest

from meterway.headend.nnaps import _by_now


@pytest.mark.parametrize(
    ("share", "time_of_day", "expected"),
    [(None, 43200.0, None), (0.5, 43200.0, 1.0), (0.25, 43200.0, 0.5), (0.2, 100.0, None)],
)
def test_a_share_of_the_day_counts_against_what_is_due(
    monkeypatch: pytest.MonkeyPatch, share: float | None, time_of_day: float, expected: float | None
) -> None:
    monkeypatch.setattr("meterway.headend.nnaps.time.time", lambda: 86400.0 * 100 + time_of_day + 1000)
    found = _by_now(share, 900.0 + 1000)
    assert found == (None if expected is None else pytest.approx(expected, abs=0.02))
