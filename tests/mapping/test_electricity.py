"""Electrical quantities are named from the groups of their code."""

from __future__ import annotations

import pytest

from meterway.base.obis import Obis
from meterway.mapping.electricity import electric_name


@pytest.mark.parametrize(
    ("c", "d", "e", "name", "unit"),
    [
        (1, 8, 0, "active-energy-import", "Wh"),
        (1, 9, 0, "active-energy-import-since-billing", "Wh"),
        (61, 8, 2, "active-energy-import-l3-t2", "Wh"),
        (10, 7, 0, "apparent-power-export", "VA"),
        (8, 8, 0, "reactive-energy-q4", "varh"),
        (3, 6, 1, "reactive-demand-import-max-t1", "var"),
        (1, 35, 0, "active-power-import-over-threshold", "W"),
        (32, 33, 0, "voltage-sag-duration-l1", "s"),
        (12, 24, 0, "voltage-average-3", "V"),
        (88, 8, 0, "square-current", "A²h"),
        (81, 7, 40, "angle-u1-to-i1", "°"),
    ],
)
def test_groups_make_a_name_and_a_unit(c, d, e, name, unit):
    found = electric_name(Obis(1, 0, c, d, e))
    assert found is not None
    assert (found.name, found.unit) == (name, unit)


@pytest.mark.parametrize(("c", "d", "e"), [(0, 8, 0), (93, 8, 0), (1, 50, 0), (1, 8, 64), (88, 7, 0), (81, 7, 33)])
def test_groups_that_say_no_quantity_have_no_name(c, d, e):
    assert electric_name(Obis(1, 0, c, d, e)) is None


def test_no_two_codes_have_one_name():
    codes = [Obis(1, 0, c, d, e) for c in range(128) for d in range(64) for e in (0, 1, 63, 124)]
    names = [found.name for found in map(electric_name, codes) if found is not None]
    assert len(set(names)) == len(names) > 5000
