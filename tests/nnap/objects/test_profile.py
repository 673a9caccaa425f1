"""Buffers of kept rows by range, entry and column."""

from datetime import UTC, datetime

from meterway.base.obis import Obis
from meterway.nnap.objects.profile import buffer_of
from meterway.nnap.rows import Row
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME, EntrySelector, RangeSelector
from meterway.stacks.dlms.tabled.table import date_time
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import DataAccessResult

ENERGY = CaptureObject(class_id=3, obis=Obis(1, 0, 1, 8, 0), attribute=2)
COLUMNS = (CLOCK_TIME, ENERGY)
ROWS = [Row(900 * n, axdr.encode(axdr.structure(date_time(900 * n), axdr.u32(n)))) for n in range(1, 6)]


def asked(selector=None):
    return None if selector is None else Selection(selector.selector, selector.encode())


def values(selector=None):
    def rows(from_s, to_s):
        return [row for row in ROWS if from_s <= row.time_s <= to_s]

    answer = buffer_of(asked(selector), COLUMNS, rows)
    return answer if isinstance(answer, DataAccessResult) else [row[-1] for row in axdr.to_native(answer)[0]]


def between(first, last, **more):
    moments = (axdr.CosemDateTime.from_utc(datetime.fromtimestamp(900 * n, UTC), 60) for n in (first, last))
    return RangeSelector.between(*moments, **more)


def test_rows_are_selected_by_time_entry_and_column():
    assert values() == [1, 2, 3, 4, 5]
    assert values(between(2, 3)) == [2, 3]
    assert values(EntrySelector(from_entry=2, to_entry=4)) == [2, 3, 4]
    assert values(between(2, 2, columns=(ENERGY,))) == [2]
    assert values(between(9, 10)) == []


def test_what_cannot_be_selected_is_refused():
    other = CaptureObject(class_id=3, obis=Obis(1, 0, 9, 8, 0), attribute=2)
    assert values(between(1, 2, columns=(other,))) is DataAccessResult.OBJECT_UNDEFINED
    assert values(between(1, 2, restricting=ENERGY)) is DataAccessResult.OTHER_REASON
    assert buffer_of(Selection(1, b"\x00"), COLUMNS, lambda a, b: ROWS) is DataAccessResult.TYPE_UNMATCHED
