"""Profiles of registers: rows by range and by entry, from the spool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from meterway.base.obis import Obis
from meterway.interfaces.mbus.objects.table import Ask, Attr, Thing
from meterway.interfaces.mbus.tariff import Row
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Tag
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME
from meterway.stacks.dlms.tabled.profile import Table, encoded_rows, listed, profile_thing
from meterway.stacks.dlms.tabled.table import LATEST_S
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["STATUS", "RegisterRows", "register_profile"]

STATUS: Final = Obis(0, 1, 96, 10, 3)


class RegisterRows(NamedTuple):
    """Rows of some registers: the same moments, one number each (None where there was none), one quality a row."""

    times_s: list[int]
    quality: list[int]
    values: tuple[list[int] | list[int | None], ...]


def joined(rows: Sequence[Sequence[Row]]) -> RegisterRows:
    """Readings of several registers side by side; a moment that one of them lacks is left out."""
    maps = [{row.time_s: row for row in each} for each in rows]
    times = [row.time_s for row in rows[0] if all(row.time_s in each for each in maps[1:])] if rows else []
    quality = [0] * len(times)
    for each in maps:
        quality = [have | each[moment].quality for have, moment in zip(quality, times, strict=True)]
    return RegisterRows(times, quality, tuple([each[moment].raw for moment in times] for each in maps))


def united(rows: Sequence[Sequence[Row]]) -> RegisterRows:
    """Readings of several registers side by side, every moment that any of them has."""
    maps = [{row.time_s: row for row in each} for each in rows]
    times = sorted(set().union(*maps)) if maps else []
    quality = dict.fromkeys(times, 0)
    for each in maps:
        for moment, row in each.items():
            quality[moment] |= row.quality
    columns = ([each[one].raw if one in each else None for one in times] for each in maps)
    return RegisterRows(times, list(quality.values()), tuple(columns))


Rows = Callable[[Ask, float, float], RegisterRows]


def _captured(class_id: int, obis: Obis) -> CaptureObject:
    return CaptureObject(class_id=class_id, obis=obis, attribute=2)


def register_profile(
    obis: Obis, registers: Callable[[Ask], tuple[Obis, ...]], rows: Rows, period_s: Callable[[Ask], int]
) -> Thing:
    """Clock, status and registers of a meter."""

    def objects(ask: Ask) -> tuple[CaptureObject, ...]:
        return (CLOCK_TIME, _captured(1, STATUS), *[_captured(3, one) for one in registers(ask)])

    def buffer(ask: Ask) -> bytes | DataAccessResult:
        columns = objects(ask)
        tags = (Tag.OCTET_STRING, Tag.UNSIGNED, *[Tag.DOUBLE_LONG_UNSIGNED] * (len(columns) - 2))

        def table(from_s: float, to_s: float) -> Table:
            found = rows(ask, from_s, to_s)
            return found.times_s, found.quality, *found.values

        return encoded_rows(ask.selection, columns, [int(tag) for tag in tags], table)

    return profile_thing(
        obis,
        buffer=Attr(buffer),
        objects=Attr(lambda ask: listed(objects(ask))),
        period=Attr(lambda ask: axdr.u32(period_s(ask))),
        count=Attr(lambda ask: axdr.u32(len(rows(ask, 0.0, LATEST_S).times_s))),
    )
