"""What is remembered, and until when."""

from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.neighbourhood.sfsk.memory import Recent


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 20)), max_size=60))
def test_what_is_noted_is_known_until_its_time_is_over(steps):
    recent, plain, now = Recent(10.0), {}, 0.0
    for number, pause in steps:
        now += pause
        octets = bytes((number,))
        known = octets in plain and plain[octets] + 10.0 > now
        assert recent.note(octets, now) is known
        plain[octets] = now
        assert recent.free_at(octets) == now + 10.0
    assert len(recent._when) <= 6


def test_what_was_never_noted_is_free():
    assert Recent(10.0).free_at(b"x") is None
