"""The table of an association's life: every state, every step, both sides."""

from __future__ import annotations

import itertools

import pytest

from meterway.base.errors import LocalProtocolError, RemoteProtocolError
from meterway.stacks.dlms.association import TRANSITIONS, State, Step, step

pytestmark = pytest.mark.covers("IF-I", "SEC-03")

EVERY = list(itertools.product(State, Step))


@pytest.mark.parametrize(("state", "move"), EVERY, ids=lambda one: one.name.lower())
@pytest.mark.parametrize("ours", [True, False], ids=["ours", "theirs"])
def test_a_step_leads_where_the_table_says_or_is_the_fault_of_its_mover(state: State, move: Step, ours: bool) -> None:
    if (state, move) in TRANSITIONS:
        assert step(state, move, ours=ours) is TRANSITIONS[state, move]
        return
    with pytest.raises(LocalProtocolError if ours else RemoteProtocolError) as refused:
        step(state, move, ours=ours)
    assert f"{move.name.lower()} has no place in an association that is {state.name.lower()}" == str(refused.value)


def test_a_service_needs_an_association() -> None:
    assert [state for state in State if (state, Step.SERVICE) in TRANSITIONS] == [State.ASSOCIATED]


def test_nobody_is_associated_without_acceptance_or_proof() -> None:
    ways = {(state, move) for (state, move), after in TRANSITIONS.items() if after is State.ASSOCIATED}
    assert ways == {
        (State.OPENING, Step.ACCEPTED),
        (State.PENDING, Step.PROVED),
        (State.ASSOCIATED, Step.SERVICE),
    }


@pytest.mark.parametrize("state", State)
def test_a_lost_line_ends_every_association(state: State) -> None:
    assert step(state, Step.LOST, ours=False) is State.IDLE


def test_every_state_can_be_reached_and_left() -> None:
    assert set(TRANSITIONS.values()) == set(State)
    assert {state for (state, _), after in TRANSITIONS.items() if after is not state} == set(State)
