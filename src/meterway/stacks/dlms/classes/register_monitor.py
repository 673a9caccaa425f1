"""Register monitor: actions when a value crosses its thresholds (class 21)."""

from __future__ import annotations

from dataclasses import dataclass

from meterway.stacks.dlms.classes.elements import ACTION_ITEM, VALUE_DEFINITION, ActionItem
from meterway.stacks.dlms.classes.model import declare, static
from meterway.stacks.dlms.classes.types import ANY, array, structure

__all__ = ["CLASSES", "ActionSet", "crossings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSet:
    """What one threshold starts when it is crossed upwards and downwards."""

    up: ActionItem
    down: ActionItem


def crossings(
    thresholds: tuple[float, ...], actions: tuple[ActionSet, ...], *, before: float, after: float
) -> tuple[ActionItem, ...]:
    """The actions due when the monitored value goes from ``before`` to ``after``.

    Upwards is from at most the threshold to above it, downwards from at least the threshold to below it.
    A rising value meets its thresholds from the lowest, a falling one from the highest.
    """
    pairs = sorted(zip(thresholds, actions, strict=False), key=lambda pair: pair[0], reverse=after < before)
    due = []
    for threshold, action in pairs:
        if before <= threshold < after:
            due.append(action.up)
        elif before >= threshold > after:
            due.append(action.down)
    return tuple(action for action in due if action.selector)


CLASSES = (
    declare(
        21,
        0,
        "Register monitor",
        attributes=(
            static("thresholds", array(ANY)),
            static("monitored_value", VALUE_DEFINITION),
            static("actions", array(structure(ActionSet, ACTION_ITEM, ACTION_ITEM))),
        ),
    ),
)
