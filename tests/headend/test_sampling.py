"""What a sample says of a whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.headend.sampling import sample_size, upper_bound

pytestmark = pytest.mark.covers("F4f")


@pytest.mark.parametrize(
    ("whole", "confidence", "tolerated", "size"),
    [(1000, 0.95, 0.05, 59), (1000, 0.95, 0.01, 299), (20, 0.95, 0.05, 20), (0, 0.95, 0.05, 0), (1000, 0.99, 0.1, 44)],
)
def test_the_sizes_are_those_of_the_textbooks(whole: int, confidence: float, tolerated: float, size: int) -> None:
    assert sample_size(whole, confidence=confidence, tolerated=tolerated) == size


@pytest.mark.parametrize(
    ("sampled", "failed", "bound"), [(59, 0, 0.0495), (100, 0, 0.0295), (100, 5, 0.1023), (20, 1, 0.2161)]
)
def test_the_bounds_are_those_of_the_tables(sampled: int, failed: int, bound: float) -> None:
    assert upper_bound(sampled, failed, confidence=0.95) == pytest.approx(bound, abs=0.0005)


@given(st.integers(1, 300), st.floats(0.5, 0.99), st.floats(0.01, 0.5))
def test_a_clean_sample_of_that_size_bounds_what_is_tolerated(whole: int, confidence: float, tolerated: float) -> None:
    size = sample_size(whole, confidence=confidence, tolerated=tolerated)
    if size < whole:
        assert upper_bound(size, 0, confidence=confidence) <= tolerated + 1e-6


def test_nothing_sampled_or_all_failed_says_nothing_good() -> None:
    assert upper_bound(0, 0, confidence=0.95) == upper_bound(3, 3, confidence=0.95) == 1.0
