"""A register monitor starts the actions of the thresholds that a value crosses."""

from __future__ import annotations

import pytest

from meterway.base.obis import Obis
from meterway.stacks.dlms.classes import ActionItem
from meterway.stacks.dlms.classes.register_monitor import ActionSet, crossings

SCRIPTS = Obis(0, 0, 10, 0, 103, 255)


def item(selector: int) -> ActionItem:
    return ActionItem(script_table=SCRIPTS, selector=selector)


ACTIONS = (ActionSet(up=item(1), down=item(2)), ActionSet(up=item(3), down=item(0)))


@pytest.mark.covers("UC-EV-01")
@pytest.mark.parametrize(
    ("before", "after", "selectors"),
    [(5, 15, [1]), (10, 11, [1]), (5, 25, [1, 3]), (25, 5, [2]), (10, 10, []), (12, 18, []), (10, 9, [2])],
)
def test_each_crossed_threshold_starts_its_action_in_the_order_met(before, after, selectors):
    assert [action.selector for action in crossings((10, 20), ACTIONS, before=before, after=after)] == selectors
