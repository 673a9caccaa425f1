"""Single action schedule: one script, run at set times (class 22)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum

from meterway.stacks.dlms.axdr import CosemDate, CosemTime
from meterway.stacks.dlms.classes.elements import ACTION_ITEM
from meterway.stacks.dlms.classes.model import declare, static
from meterway.stacks.dlms.classes.recurrence import next_match
from meterway.stacks.dlms.classes.types import DATE, TIME, array, enumerated, structure

__all__ = ["CLASSES", "ExecutionTime", "ScheduleType", "next_execution"]


class ScheduleType(IntEnum):
    """How many execution times a schedule has, whether their times differ, whether dates may hold wildcards."""

    ONE_TIME_WILDCARDS = 1
    SAME_TIME = 2
    SAME_TIME_WILDCARDS = 3
    DIFFERENT_TIMES = 4
    DIFFERENT_TIMES_WILDCARDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionTime:
    """When the script runs, in local time."""

    time: CosemTime | None
    date: CosemDate | None


def next_execution(times: tuple[ExecutionTime, ...], after: dt.datetime) -> dt.datetime | None:
    """The first execution later than the local time ``after``; None if there is none."""
    found = [
        next_match(entry.date, entry.time, after)
        for entry in times
        if entry.date is not None and entry.time is not None
    ]
    return min((moment for moment in found if moment is not None), default=None)


CLASSES = (
    declare(
        22,
        0,
        "Single action schedule",
        attributes=(
            static("executed_script", ACTION_ITEM),
            static("type", enumerated(ScheduleType)),
            static("execution_time", array(structure(ExecutionTime, TIME, DATE))),
        ),
    ),
)
