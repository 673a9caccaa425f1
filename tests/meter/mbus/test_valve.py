"""The valve's table, over every state and input."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.meter.mbus.valve import Input, Valve, after


@pytest.mark.covers("F4a")
@pytest.mark.parametrize("state", list(Valve))
def test_it_always_closes(state: Valve) -> None:
    assert after(state, Input.CLOSE) is Valve.CLOSED


@pytest.mark.covers("F4b")
@pytest.mark.parametrize(("state", "happening"), list(itertools.product(Valve, Input)))
def test_it_opens_only_where_the_table_says_so(state: Valve, happening: Input) -> None:
    changes = {
        (Valve.CLOSED, Input.RELEASE): Valve.READY,
        (Valve.CLOSED, Input.SUPPLY): Valve.READY,
        (Valve.READY, Input.BUTTON): Valve.TESTING,
        (Valve.TESTING, Input.TEST_PASSED): Valve.OPEN,
        (Valve.TESTING, Input.TEST_FAILED): Valve.CLOSED,
        (Valve.TESTING, Input.RESTART): Valve.READY,
    }
    expected = Valve.CLOSED if happening is Input.CLOSE else changes.get((state, happening), state)
    assert after(state, happening) is expected


@pytest.mark.covers("F4b")
@given(st.lists(st.sampled_from(Input)))
def test_gas_flows_again_only_after_release_a_person_and_a_passed_test(inputs: list[Input]) -> None:
    state = Valve.CLOSED
    for place, happening in enumerate(inputs):
        state = after(state, happening)
        if state is Valve.OPEN:
            before = inputs[: place + 1]
            last_close = max((n for n, one in enumerate(before) if one is Input.CLOSE), default=-1)
            since = before[last_close + 1 :]
            released = next(n for n, one in enumerate(since) if one in (Input.RELEASE, Input.SUPPLY))
            pressed = since.index(Input.BUTTON, released)
            assert Input.TEST_PASSED in since[pressed:]
            return


def test_a_test_is_reported_as_ready() -> None:
    assert [state.reported for state in Valve] == [Valve.CLOSED, Valve.OPEN, Valve.READY, Valve.READY]
