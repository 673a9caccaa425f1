"""The valve of a gas meter as one table: closing is always done, opening needs release, a person and a leak test.

Nobody far away can let gas flow: an order to supply only releases. Gas flows again after somebody at the meter has
asked for it and the pipes behind it have held their pressure (EN 16314; safety on re-pressurising).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["LEAK_TEST_S", "Input", "Valve", "after"]

LEAK_TEST_S: Final = 60.0


class Valve(IntEnum):
    """Where the valve stands; the numbers are those a meter reports."""

    CLOSED = 0
    OPEN = 1
    READY = 2
    """Released: waits for the consumer."""
    TESTING = 3
    """The consumer has asked; a little gas fills the pipes and its pressure is watched."""

    @property
    def reported(self) -> Valve:
        """What goes into a telegram: a test is still ``READY``."""
        return Valve.READY if self is Valve.TESTING else self


class Input(IntEnum):
    """What can happen to a valve."""

    CLOSE = 0
    RELEASE = 1
    SUPPLY = 2
    """An order to let gas flow."""
    BUTTON = 3
    """The consumer acts at the meter."""
    TEST_PASSED = 4
    TEST_FAILED = 5
    RESTART = 6


_TABLE: Final[dict[tuple[Valve, Input], Valve]] = {
    **{(state, Input.CLOSE): Valve.CLOSED for state in Valve},
    (Valve.CLOSED, Input.RELEASE): Valve.READY,
    (Valve.CLOSED, Input.SUPPLY): Valve.READY,
    (Valve.READY, Input.BUTTON): Valve.TESTING,
    (Valve.TESTING, Input.TEST_PASSED): Valve.OPEN,
    (Valve.TESTING, Input.TEST_FAILED): Valve.CLOSED,
    (Valve.TESTING, Input.RESTART): Valve.READY,
}


def after(state: Valve, happening: Input) -> Valve:
    """The next state; what the table does not name changes nothing."""
    return _TABLE.get((state, happening), state)
