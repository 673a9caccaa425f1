"""OBIS codes have names, and names lead back to codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.base.units import UNIT_CODES
from meterway.mapping.obis import describe, find


@pytest.mark.covers("F1a", "F1b")
@pytest.mark.parametrize(
    ("code", "name", "unit"),
    [
        ("1-0:1.8.0", "active-energy-import", "Wh"),
        ("1-0:2.8.2", "active-energy-export-t2", "Wh"),
        ("1-0:1.8.63", "active-energy-import-t63", "Wh"),
        ("1-0:5.8.0", "reactive-energy-q1", "varh"),
        ("1-0:9.8.0", "apparent-energy-import", "VAh"),
        ("1-0:1.7.0", "active-power-import", "W"),
        ("1-0:41.7.0", "active-power-import-l2", "W"),
        ("1-0:16.7.0", "active-power-net", "W"),
        ("1-0:1.4.0", "active-demand-import", "W"),
        ("1-0:1.6.0", "active-demand-import-max", "W"),
        ("1-0:1.29.0", "active-energy-import-interval", "Wh"),
        ("1-0:32.7.0", "voltage-l1", "V"),
        ("1-0:72.36.0", "voltage-swell-count-l3", ""),
        ("1-0:32.7.124", "voltage-l1-thd", "%"),
        ("1-0:31.7.3", "current-l1-harmonic-3", "A"),
        ("1-0:91.7.0", "current-n", "A"),
        ("1-0:14.7.0", "frequency", "Hz"),
        ("1-0:13.7.0", "power-factor", ""),
        ("1-0:81.7.4", "angle-i1-to-u1", "°"),
        ("1-0:99.1.0", "load-profile", ""),
        ("0-0:1.0.0", "clock", ""),
        ("0-2:24.2.1", "mbus-value-2", ""),
        ("0-0:99.98.0", "event-log", ""),
        ("7-0:3.0.0", "gas-volume", "m³"),
        ("8-0:1.0.0", "water-volume", "m³"),
        ("6-0:1.0.0", "heat-energy", ""),
    ],
)
def test_a_code_has_its_name_and_unit_and_the_name_leads_back(code, name, unit):
    obis = Obis.parse(code)
    found = describe(obis)
    assert (found.name, found.unit, found.known) == (name, unit, True)
    assert find(name) == obis


def test_parts_of_the_name_are_told_apart():
    found = describe(Obis.parse("1-0:21.8.2"))
    assert (found.quantity, found.flow, found.phase, found.tariff) == ("energy", "import", "l1", 2)
    assert found.title == "Active energy import L1, tariff 2"


def test_a_billing_value_names_its_period():
    obis = Obis.parse("1-0:1.8.0*12")
    assert describe(obis).name == "active-energy-import-period-12"
    assert describe(obis).period == 12
    assert find("active-energy-import-period-12") == obis


def test_an_unknown_code_is_named_by_its_numbers():
    found = describe(Obis.parse("1-0:128.7.0"))
    assert (found.name, found.title, found.known) == ("obis-1-0-128-7-0", "OBIS 1-0:128.7.0", False)
    assert not describe(Obis.parse("1-0:1.8.64")).known
    assert not describe(Obis.parse("1-0:32.7.121")).known


@given(st.sampled_from([0, 1, 4, 5, 6, 7, 8, 9]), *[st.integers(0, 130)] * 4, st.sampled_from([255, 1]))
def test_every_name_given_is_found_again_and_every_unit_is_known(a, b, c, d, e, f):
    found = describe(Obis(a, b, c, d, e, f))
    assert found.unit == "" or found.unit in UNIT_CODES
    if found.known and b == 0 and e <= 16:
        assert describe(find(found.name)).name == found.name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.8.0", "1-0:1.8.0*255"),
        ("1-0:1.8.0", "1-0:1.8.0*255"),
        ("0.0.1.0.0.255", "0-0:1.0.0*255"),
        ("Load Profile", "1-0:99.1.0*255"),
        ("measurement-period-1", "1-0:0.8.0*255"),
        ("push_setup_alarm", "0-4:25.9.0*255"),
    ],
)
def test_people_may_write_codes_and_names_as_they_like(text, code):
    assert str(find(text)) == code


def test_a_wrong_name_is_answered_with_close_ones():
    with pytest.raises(ConfigError, match=r"'laod-profile' is neither .* did you mean load-profile"):
        find("laod-profile")
    with pytest.raises(ConfigError):
        find("active-energy-import-t64")
    with pytest.raises(ConfigError):
        find("voltage-l1-harmonic-999")
