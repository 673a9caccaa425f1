"""The switch moves only as its control mode allows, over every mode, mover, request and state."""

from __future__ import annotations

from itertools import product

import pytest

from meterway.stacks.dlms.classes.disconnect_control import ControlMode, ControlState, Mover, Supply, next_state

OUT, IN, READY = ControlState


@pytest.mark.covers("F4a", "F4b", "UC-BI-05")
def test_mode_0_never_moves():
    for mover, supply, state in product(Mover, Supply, ControlState):
        assert next_state(0, state, mover, supply) is None


@pytest.mark.covers("F4a")
@pytest.mark.parametrize("mode", [1, 2, 3, 4, 5, 6])
def test_the_remote_system_can_always_disconnect(mode):
    assert next_state(mode, IN, Mover.REMOTE, Supply.OFF) is OUT
    assert next_state(mode, READY, Mover.REMOTE, Supply.OFF) is OUT


@pytest.mark.covers("F4b")
@pytest.mark.parametrize(("mode", "after"), [(1, READY), (2, IN), (3, READY), (4, IN), (5, READY), (6, READY)])
def test_a_remote_reconnection_connects_or_only_makes_ready(mode, after):
    assert next_state(mode, OUT, Mover.REMOTE, Supply.ON) is after


@pytest.mark.covers("F4b")
@pytest.mark.parametrize("mode", [1, 2, 3, 4, 5, 6])
def test_a_person_closes_only_a_switch_that_is_ready(mode):
    assert next_state(mode, READY, Mover.MANUAL, Supply.ON) is IN
    assert next_state(mode, OUT, Mover.MANUAL, Supply.ON) is None


@pytest.mark.parametrize(("mode", "allowed"), [(1, True), (2, True), (3, False), (4, False), (5, True), (6, False)])
def test_a_person_opens_the_switch_only_in_some_modes(mode, allowed):
    assert next_state(mode, IN, Mover.MANUAL, Supply.OFF) is (READY if allowed else None)


@pytest.mark.covers("F4d")
@pytest.mark.parametrize(("mode", "allowed"), [(1, False), (2, False), (3, False), (4, False), (5, True), (6, True)])
def test_the_meter_itself_opens_in_every_mode_and_closes_only_in_5_and_6(mode, allowed):
    assert next_state(mode, IN, Mover.LOCAL, Supply.OFF) is READY
    assert next_state(mode, READY, Mover.LOCAL, Supply.ON) is (IN if allowed else None)


def test_no_request_keeps_the_state_or_leaves_the_three_states():
    for mode, state, mover, supply in product(ControlMode, ControlState, Mover, Supply):
        after = next_state(mode, state, mover, supply)
        assert after is None or (after != state and after in ControlState)
        if supply is Supply.OFF:
            assert after is not IN
