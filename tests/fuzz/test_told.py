"""What is told in octets and text is refused or is what was said; settings are loaded or complained about."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from fuzz.told import SETTINGS, check_home, check_nnap, check_report, check_settings, check_text

pytestmark = pytest.mark.covers("SEC-11")

few = settings(max_examples=200, deadline=None)


@few
@given(some.binary(max_size=40))
def test_reports_are_refused_or_come_back(octets: bytes) -> None:
    check_report(octets)


@few
@given(some.binary(max_size=60))
def test_a_concentrator_believes_nothing_that_was_altered(octets: bytes) -> None:
    check_nnap(octets)


@few
@given(some.binary(max_size=60))
def test_orders_to_homes_are_refused_or_come_back(octets: bytes) -> None:
    check_home(octets)


@pytest.mark.parametrize("place", range(len(SETTINGS)))
def test_the_sample_of_each_entity_is_loaded(place: int) -> None:
    assert check_settings(bytes((place,))) == "loaded"


@few
@given(some.binary(min_size=1, max_size=12))
def test_settings_are_loaded_or_complained_about(octets: bytes) -> None:
    assert check_settings(octets)


@few
@given(some.integers(0, 6), some.text(max_size=200))
def test_any_text_is_loaded_or_complained_about(place: int, text: str) -> None:
    assert check_text(bytes((place,)) + text.encode("utf-8", "surrogatepass"))
