"""Buffers of kept rows by range, entry and column."""

from datetime import UTC, datetime

from meterway.base.obis import Obis
from meterway.nnap.events import Code, Event
from meterway.nnap.objects.profile import buffer_of, event_profile
from meterway.nnap.objects.table import Ask, date_time
from meterway.nnap.rows import Row
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME, EntrySelector, RangeSelector
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import DataAccessResult

ENERGY = CaptureObject(class_id=3, obis=Obis(1, 0, 1, 8, 0), attribute=2)
COLUMNS = (CLOCK_TIME, ENERGY)
ROWS = [Row(900 * n, axdr.encode(axdr.structure(date_time(900 * n), axdr.u32(n)))) for n in range(1, 6)]


def ask(selector=None):
    selection = None if selector is None else Selection(selector.selector, selector.encode())
    return Ask(None, 1, 0.0, None, selection)


def values(selector=None):
    def rows(from_s, to_s):
        return [row for row in ROWS if from_s <= row.time_s <= to_s]

    answer = buffer_of(ask(selector), COLUMNS, rows)
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
    wrong = Ask(None, 1, 0.0, None, Selection(1, b"\x00"))
    assert buffer_of(wrong, COLUMNS, lambda a, b: ROWS) is DataAccessResult.TYPE_UNMATCHED


def test_a_log_shows_time_and_code():
    events = [Event(1000.7, Code.NODE_JOINED, "M1")]
    thing = event_profile(Obis(0, 0, 99, 98, 0), Obis(0, 0, 96, 11, 0), lambda ask, a, b: events)
    ((moment, code),) = axdr.to_native(thing.attributes[2].read(ask()))[0]
    assert code == Code.NODE_JOINED
    assert axdr.CosemDateTime.decode(moment).utc(0).timestamp() == 1000
    assert thing.attributes[7].read(ask()).value == 1
