"""The balance of a transformer."""

from __future__ import annotations

import pytest

from meterway.headend.balance import balance_of
from meterway.headend.curve import Curve, CurveChannel

pytestmark = pytest.mark.covers("E-NNAP")


def curve(imported: list[float | None], exported: list[float | None] | None = None, *, period_s: int = 900) -> Curve:
    given = [("1-0:1.8.0", imported)] + ([("1-0:2.8.0", exported)] if exported is not None else [])
    return Curve(
        times_s=[index * period_s for index in range(len(imported))],
        period_s=period_s,
        channels=[
            CurveChannel(obis=obis, name="", title="", unit="Wh", is_cumulative=True, values=values)
            for obis, values in given
        ],
    )


def values(found: Curve) -> dict[str, list[float | None]]:
    return {channel.name: channel.values for channel in found.channels}


def test_what_is_supplied_and_not_metered_is_unaccounted() -> None:
    found = values(balance_of(curve([100.0, 50.0]), [curve([60.0, 30.0]), curve([50.0, 10.0], [20.0, 0.0])]))
    assert found == {"supplied": [100.0, 50.0], "metered": [90.0, 40.0], "unaccounted": [10.0, 10.0]}


def test_an_interval_that_any_meter_lacks_says_nothing() -> None:
    found = values(balance_of(curve([100.0, None, 80.0]), [curve([60.0, 1.0, 60.0]), curve([30.0, 1.0, None])]))
    assert found["metered"] == [90.0, 2.0, None]
    assert found["unaccounted"] == [10.0, None, None]


def test_a_meter_on_another_grid_is_one_that_is_not_known() -> None:
    assert values(balance_of(curve([100.0]), [curve([60.0], period_s=3600)]))["metered"] == [None]


def test_without_meters_or_values_there_is_no_balance() -> None:
    assert values(balance_of(curve([100.0]), []))["unaccounted"] == [None]
    assert values(balance_of(Curve(times_s=[], period_s=0, channels=[]), []))["supplied"] == []
