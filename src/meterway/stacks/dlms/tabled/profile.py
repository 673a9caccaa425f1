"""Profiles of such a device: the rows that a selection wants, rows from columns of numbers, and the log of events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol, TypeVar

import numpy as np

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data, EncodeColumn, Tag, encode_columns
from meterway.stacks.dlms.classes.elements import CAPTURE_OBJECT, CaptureObject
from meterway.stacks.dlms.classes.profile_generic import (
    CLOCK_TIME,
    EntrySelector,
    RangeSelector,
    columns_of,
    decode_selector,
    slice_entries,
)
from meterway.stacks.dlms.tabled.table import LATEST_S, Ask, Attr, Thing, date_time, fixed, number
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["Table", "Wanted", "encoded_rows", "event_profile", "listed", "profile_thing", "wanted_of"]

_EMPTY: Final = b"\x01\x00"
SiteT = TypeVar("SiteT")
PartyT = TypeVar("PartyT")
AskT = TypeVar("AskT")
Table = tuple[Sequence[int | None], ...]
"""Columns of one length, the times (Unix seconds) first; None where a row lacks a number."""


class Event(Protocol):
    """An entry of a log."""

    @property
    def time_s(self) -> float:
        """Unix seconds."""

    @property
    def code(self) -> int:
        """What happened, one octet."""


class Wanted(NamedTuple):
    """What a selection wants: columns by place, rows within [from, to] Unix seconds, and of those some entries."""

    chosen: Sequence[int]
    from_s: float = 0.0
    to_s: float = LATEST_S
    entries: EntrySelector | None = None

    def part(self, count: int) -> slice:
        """Which of the rows found within the range."""
        return slice(0, count) if self.entries is None else slice_entries(self.entries, count)


def wanted_of(selection: Selection | None, columns: tuple[CaptureObject, ...]) -> Wanted | DataAccessResult:
    """What is wanted of a profile that captures ``columns`` (without a selection, all), or why it cannot be had."""
    try:
        selector = None if selection is None else decode_selector(*selection)
        chosen = columns_of(selector, columns)
    except LocalProtocolError:
        return DataAccessResult.OBJECT_UNDEFINED
    except DecodeError:
        return DataAccessResult.TYPE_UNMATCHED
    if not isinstance(selector, RangeSelector):
        return Wanted(chosen, entries=selector)
    if selector.restricting != CLOCK_TIME:
        return DataAccessResult.OTHER_REASON
    start, end = selector.moments
    return Wanted(chosen, _unix(start, 0.0), _unix(end, LATEST_S))


def _unix(moment: CosemDateTime | None, otherwise: float) -> float:
    utc = None if moment is None else moment.utc(0)
    return otherwise if utc is None else utc.timestamp()


def encoded_rows(
    selection: Selection | None,
    columns: tuple[CaptureObject, ...],
    tags: Sequence[int],
    rows: Callable[[float, float], Table],
) -> bytes | DataAccessResult:
    """The rows of a selection, encoded, from columns of numbers with these tags; a time is an octet-string."""
    wanted = wanted_of(selection, columns)
    if isinstance(wanted, DataAccessResult):
        return wanted
    table = rows(wanted.from_s, wanted.to_s)
    part = wanted.part(len(table[0]))
    table = tuple(column[part] for column in table)
    if not table[0] or not wanted.chosen:
        return _EMPTY
    if any(None in table[place] for place in wanted.chosen):
        return _ragged(tags, table, wanted.chosen)
    return encode_columns([_column(tags[place], table[place]) for place in wanted.chosen])


def _ragged(tags: Sequence[int], table: Table, chosen: Sequence[int]) -> bytes:
    """Rows of which some lack a number: null-data stands there."""
    rows = zip(*(table[place] for place in chosen), strict=True)
    made = ([_cell(tags[place], value) for place, value in zip(chosen, row, strict=True)] for row in rows)
    return axdr.encode(axdr.array(*[axdr.structure(*row) for row in made]))


def _cell(tag: int, value: int | None) -> Data:
    if value is None:
        return axdr.null()
    if tag == Tag.OCTET_STRING:
        return date_time(value)
    return axdr.u8(value) if tag == Tag.UNSIGNED else number(value)


def _column(tag: int, values: Sequence[int | None]) -> EncodeColumn:
    numbers = np.array(values, dtype=np.int64)
    if tag == Tag.DOUBLE_LONG_UNSIGNED and (numbers.min() < 0 or numbers.max() >= 1 << 32):
        tag = int(Tag.LONG64)
    return EncodeColumn(tag=tag, values=numbers)


def listed(columns: tuple[CaptureObject, ...]) -> Data:
    """The capture objects."""
    return axdr.array(*[CAPTURE_OBJECT.untyped(entry) for entry in columns])


def profile_thing(
    obis: Obis, *, buffer: Attr[AskT], objects: Attr[AskT], period: Attr[AskT], count: Attr[AskT],
    most: int = 0xFFFFFFFF,
) -> Thing[AskT]:  # fmt: skip
    """A profile sorted by its clock, the oldest first."""
    return Thing(
        class_id=7,
        obis=obis,
        version=1,
        attributes={
            2: buffer,
            3: objects,
            4: period,
            5: fixed(axdr.enum(1)),
            6: fixed(CAPTURE_OBJECT.untyped(CLOCK_TIME)),
            7: count,
            8: fixed(axdr.u32(most)),
        },
    )


def event_profile(
    obis: Obis,
    code: Obis,
    events: Callable[[Ask[SiteT, PartyT], float, float], Sequence[Event]],
    *,
    most: int = 0xFFFFFFFF,
) -> Thing[Ask[SiteT, PartyT]]:
    """Clock and code of each event; ``most`` is how many there are at most."""
    columns = (CLOCK_TIME, CaptureObject(class_id=1, obis=code, attribute=2))
    tags = (int(Tag.OCTET_STRING), int(Tag.UNSIGNED))

    def table(ask: Ask[SiteT, PartyT], from_s: float, to_s: float) -> Table:
        found = events(ask, from_s, to_s)
        return [int(event.time_s) for event in found], [int(event.code) for event in found]

    def buffer(ask: Ask[SiteT, PartyT]) -> bytes | DataAccessResult:
        return encoded_rows(ask.selection, columns, tags, lambda from_s, to_s: table(ask, from_s, to_s))

    return profile_thing(
        obis,
        buffer=Attr(buffer),
        objects=fixed(listed(columns)),
        period=fixed(axdr.u32(0)),
        count=Attr(lambda ask: axdr.u32(len(events(ask, 0.0, LATEST_S)))),
        most=most,
    )
