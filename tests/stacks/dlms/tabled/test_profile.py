"""What a selection wants, rows from columns, and a log: by range, by entry and by column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Tag
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME, EntrySelector, RangeSelector
from meterway.stacks.dlms.tabled.profile import Table, encoded_rows, event_profile, listed, wanted_of
from meterway.stacks.dlms.tabled.table import LATEST_S, Ask, date_time
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import DataAccessResult

ENERGY = CaptureObject(class_id=3, obis=Obis(1, 0, 1, 8, 0), attribute=2)
OTHER = CaptureObject(class_id=3, obis=Obis(1, 0, 9, 8, 0), attribute=2)
COLUMNS = (CLOCK_TIME, ENERGY)
TAGS = (int(Tag.OCTET_STRING), int(Tag.DOUBLE_LONG_UNSIGNED))


class Entry(NamedTuple):
    time_s: float
    code: int


def selection(selector: Any) -> Selection:
    return Selection(selector.selector, selector.encode())


def between(first: int, last: int, **more: Any) -> Selection:
    moments = (axdr.CosemDateTime.from_utc(datetime.fromtimestamp(900 * n, UTC), 60) for n in (first, last))
    return selection(RangeSelector.between(*moments, **more))


def rows(values: Sequence[int | None], wanted: Selection | None = None) -> Any:
    def found(from_s: float, to_s: float) -> Table:
        kept = [(900 * n, value) for n, value in enumerate(values, 1) if from_s <= 900 * n <= to_s]
        return [time for time, _ in kept], [value for _, value in kept]

    answer = encoded_rows(wanted, COLUMNS, TAGS, found)
    return answer if isinstance(answer, DataAccessResult) else axdr.to_native(answer)[0]


def test_a_selection_is_a_range_or_entries_of_some_columns() -> None:
    everything = wanted_of(None, COLUMNS)
    assert everything[:3] == ((0, 1), 0.0, LATEST_S)
    assert everything.part(7) == slice(0, 7)  # type: ignore[union-attr]
    by_range = wanted_of(between(2, 3, columns=(ENERGY,)), COLUMNS)
    assert (list(by_range[0]), *by_range[1:3]) == ([1], 1800.0, 2700.0)
    by_entry = wanted_of(selection(EntrySelector(from_entry=2, to_entry=4)), COLUMNS)
    assert by_entry.part(5) == slice(1, 4)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        (between(1, 2, columns=(OTHER,)), DataAccessResult.OBJECT_UNDEFINED),
        (between(1, 2, restricting=ENERGY), DataAccessResult.OTHER_REASON),
        (Selection(1, b"\x00"), DataAccessResult.TYPE_UNMATCHED),
    ],
)
def test_what_cannot_be_selected_is_refused(wanted: Selection, refusal: DataAccessResult) -> None:
    assert wanted_of(wanted, COLUMNS) is refusal
    assert rows([1, 2], wanted) is refusal


def test_rows_are_cut_from_columns() -> None:
    assert [row[1] for row in rows([1, 2, 3, 4])] == [1, 2, 3, 4]
    assert [row[1] for row in rows([1, 2, 3, 4], between(2, 3))] == [2, 3]
    assert rows([1, 2, 3, 4], between(2, 2, columns=(ENERGY,))) == [[2]]
    assert [row[1] for row in rows([1, 2, 3, 4], selection(EntrySelector(from_entry=3, to_entry=0)))] == [3, 4]
    assert rows([1, 2], between(8, 9)) == []
    assert rows([5])[0][0] == date_time(900).value


def test_a_number_that_lacks_is_null_and_one_that_is_too_long_takes_more_room() -> None:
    assert [row[1] for row in rows([1, None, 1 << 40])] == [1, None, 1 << 40]
    assert [row[1] for row in rows([1, 1 << 40, -3])] == [1, 1 << 40, -3]


def test_a_log_shows_time_and_code() -> None:
    entries = [Entry(1000.7, 205)]
    thing = event_profile(Obis(0, 0, 99, 98, 0), Obis(0, 0, 96, 11, 0), lambda ask, a, b: entries, most=50)
    ask: Ask[None, None] = Ask(None, 1, 0.0, None)
    buffer = thing.attributes[2].read(ask)
    ((moment, code),) = axdr.to_native(buffer)[0]  # type: ignore[arg-type]
    assert code == 205
    assert axdr.CosemDateTime.decode(moment).utc(0).timestamp() == 1000
    assert thing.attributes[7].read(ask) == axdr.u32(1)
    assert thing.attributes[8].read(ask) == axdr.encode(axdr.u32(50))
    assert listed(COLUMNS).tag == Tag.ARRAY
