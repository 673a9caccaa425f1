"""The hourly profile and the event log of a load controller as profiles (class 7), by range and by entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from meterway.base.obis import Obis
from meterway.home.events import Event
from meterway.home.objects.table import Ask, Attr, Thing
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Tag
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME
from meterway.stacks.dlms.tabled.profile import Table, encoded_rows, event_profile, listed, profile_thing
from meterway.stacks.dlms.tabled.table import fixed
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["ENERGY", "EVENT_CODE", "HOURLY", "LOG", "STATUS", "event_log", "hourly_profile"]

HOURLY: Final = Obis(1, 0, 99, 1, 0)
LOG: Final = Obis(0, 0, 99, 98, 0)
STATUS: Final = Obis(0, 0, 96, 10, 1)
ENERGY: Final = Obis(1, 0, 1, 8, 0)
EVENT_CODE: Final = Obis(0, 0, 96, 11, 0)
_HOUR_S: Final = 3600
_ENTRIES: Final = 1440
_LOGGED: Final = 500
_COLUMNS: Final = (
    CLOCK_TIME,
    CaptureObject(class_id=1, obis=STATUS, attribute=2),
    CaptureObject(class_id=3, obis=ENERGY, attribute=2),
)
_TAGS: Final = (int(Tag.OCTET_STRING), int(Tag.UNSIGNED), int(Tag.DOUBLE_LONG_UNSIGNED))


def _hours(ask: Ask) -> bytes | DataAccessResult:
    def table(from_s: float, to_s: float) -> Table:
        found = [one for one in ask.site.rows if from_s <= int(one.time_s) <= to_s]
        return (
            [int(one.time_s) for one in found],
            [one.closed for one in found],
            [one.energy_wh & 0xFFFFFFFF for one in found],
        )

    return encoded_rows(ask.selection, _COLUMNS, _TAGS, table)


def _events(ask: Ask, from_s: float, to_s: float) -> Sequence[Event]:
    return [one for one in ask.site.events if from_s <= int(one.time_s) <= to_s]


def hourly_profile() -> Thing:
    """Clock, relays that are closed (bit 0: relay 1), energy of all loads."""
    return profile_thing(
        HOURLY,
        buffer=Attr(_hours),
        objects=fixed(listed(_COLUMNS)),
        period=fixed(axdr.u32(_HOUR_S)),
        count=Attr(lambda ask: axdr.u32(len(ask.site.rows))),
        most=_ENTRIES,
    )


def event_log() -> Thing:
    """Clock and code of each event."""
    return event_profile(LOG, EVENT_CODE, _events, most=_LOGGED)
