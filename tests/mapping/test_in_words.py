"""A telegram in one line."""

import pytest

from meterway.mapping.in_words import in_words
from meterway.mapping.telegram import decode_telegram
from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.past import said
from meterway.meter.mbus.usage import Utility


def spoken(security):
    meter = MeterConfig(ident="10000001", utility=Utility.GAS, key="0f" * 16, security=security)
    (one,) = said((meter,), (1_790_000_000.0,))
    return one.octets


def test_values_in_the_clear_are_told_and_the_rest_counted():
    first, *others = decode_telegram(spoken(0)).readings
    line = in_words(spoken(0))
    assert line.startswith(f"{first.name} {first.as_json()['value']} m³")
    assert line.endswith(f"and {len(others) - 2} more")


@pytest.mark.parametrize("security", [5, 7, 10])
def test_what_is_protected_says_how(security):
    assert f"mode {security}" in in_words(spoken(security))


def test_a_frame_without_values_says_what_it_is_for():
    assert in_words(bytes.fromhex("1040014116")) == "wired short, application link"


def test_octets_that_are_no_telegram_say_so():
    assert in_words(b"")
    assert in_words(b"\x01")
