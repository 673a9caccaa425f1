"""Altered telegrams reach a concentrator's collector, and no value is stored that no meter sent."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from fuzz.heard import Listener

pytestmark = pytest.mark.covers("E-NNAP", "IF-C", "SEC-11")


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Listener:
    return Listener(tmp_path_factory.mktemp("heard"))


def test_what_is_not_altered_is_taken(listener: Listener) -> None:
    assert [listener.one_input(bytes((place, 1))) for place in range(3)] == ["same"] * 3


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.binary(min_size=2, max_size=12))
def test_no_value_comes_from_an_altered_telegram(listener: Listener, octets: bytes) -> None:
    listener.one_input(octets)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.binary(max_size=200))
def test_noise_is_nothing(listener: Listener, octets: bytes) -> None:
    assert listener.one_input(b"\xff\x01" + octets) == "refused"


def test_each_octet_of_a_telegram_counts(listener: Listener) -> None:
    """Every single octet changed: refused, or the value that was sent where the octet says nothing of it."""
    told = [listener.one_input(bytes((place, 1, number, 1))) for place in range(3) for number in range(2, 60, 2)]
    assert told.count("refused") > len(told) * 0.8
