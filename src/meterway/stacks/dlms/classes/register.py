"""Values: Data, Register, Extended register, Demand register, Register activation (classes 1, 3, 4, 5, 6)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meterway.base.obis import Obis
from meterway.stacks.dlms.classes.elements import SCALER_UNIT
from meterway.stacks.dlms.classes.model import declare, dynamic, method, static
from meterway.stacks.dlms.classes.types import (
    ANY,
    DATE_TIME,
    DOUBLE_LONG_UNSIGNED,
    INTEGER,
    LONG_UNSIGNED,
    OBIS,
    OCTETS,
    UNSIGNED,
    array,
    structure,
)

__all__ = ["CLASSES", "Demand", "ObjectDefinition", "RegisterMask", "active_registers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDefinition:
    """A register that a register activation may switch."""

    class_id: int
    obis: Obis


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMask:
    """A named choice of registers, by their 1-based place in the register assignment."""

    name: bytes
    indexes: tuple[int, ...]


def active_registers(
    assignment: tuple[ObjectDefinition, ...], masks: tuple[RegisterMask, ...], active_mask: bytes
) -> frozenset[ObjectDefinition]:
    """The registers that count while ``active_mask`` is set.

    All others of the assignment rest. An unknown mask and places beyond the assignment switch nothing on.
    """
    places = next((mask.indexes for mask in masks if mask.name == active_mask), ())
    return frozenset(assignment[place - 1] for place in places if 1 <= place <= len(assignment))


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """The averages of a demand register over a sliding window of ``number_of_periods`` periods.

    ``done`` holds the energy of the finished periods of the window, the latest last; ``current`` that of the
    running one. Times are seconds, energy is in any unit; an average is energy per hour.
    """

    period_s: int
    number_of_periods: int = 1
    done: tuple[float, ...] = ()
    current: float = 0.0
    last_average: float = 0.0

    @property
    def window_s(self) -> int:
        """The length of the whole window."""
        return self.period_s * self.number_of_periods

    @property
    def current_average(self) -> float:
        """Energy since the window began, spread over the whole window; it rises as the period runs."""
        return (sum(self.done[1 - self.number_of_periods :] if self.number_of_periods > 1 else ()) + self.current) * (
            3600 / self.window_s
        )

    def add(self, energy: float) -> Demand:
        """With more energy in the running period."""
        return replace(self, current=self.current + energy)

    def next_period(self) -> Demand:
        """The running period ends: its window becomes the last average and a new one starts."""
        done = (*self.done, self.current)[-self.number_of_periods :]
        return replace(self, done=done, current=0.0, last_average=self.current_average)

    def reset(self) -> Demand:
        """All averages back to zero; a new period starts."""
        return Demand(period_s=self.period_s, number_of_periods=self.number_of_periods)


_OBJECT = structure(ObjectDefinition, LONG_UNSIGNED, OBIS)
_MASK = structure(RegisterMask, OCTETS, array(UNSIGNED))
_RESET = method("reset", INTEGER)

CLASSES = (
    declare(1, 0, "Data", attributes=(dynamic("value", ANY),)),
    declare(
        3,
        0,
        "Register",
        attributes=(dynamic("value", ANY), static("scaler_unit", SCALER_UNIT)),
        methods=(_RESET,),
    ),
    declare(
        4,
        0,
        "Extended register",
        attributes=(
            dynamic("value", ANY),
            static("scaler_unit", SCALER_UNIT),
            dynamic("status", ANY),
            dynamic("capture_time", DATE_TIME),
        ),
        methods=(_RESET,),
    ),
    declare(
        5,
        0,
        "Demand register",
        attributes=(
            dynamic("current_average_value", ANY),
            dynamic("last_average_value", ANY),
            static("scaler_unit", SCALER_UNIT),
            dynamic("status", ANY),
            dynamic("capture_time", DATE_TIME),
            dynamic("start_time_current", DATE_TIME),
            static("period", DOUBLE_LONG_UNSIGNED),
            static("number_of_periods", LONG_UNSIGNED),
        ),
        methods=(_RESET, method("next_period", INTEGER)),
    ),
    declare(
        6,
        0,
        "Register activation",
        attributes=(
            static("register_assignment", array(_OBJECT)),
            static("mask_list", array(_MASK)),
            dynamic("active_mask", OCTETS),
        ),
        methods=(method("add_register", _OBJECT), method("add_mask", _MASK), method("delete_mask", OCTETS)),
    ),
)
