"""The hourly profile and the event log, by range and by entry."""

from datetime import UTC, datetime
from itertools import pairwise

from home_loads import EVENING, controller
from meterway.base.obis import Obis
from meterway.home.api import HomeMemory
from meterway.home.events import Code
from meterway.home.objects import LogicalHome
from meterway.home.objects.rows import HOURLY, LOG
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.elements import CAPTURE_OBJECT
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.dlms.xdlms.results import DataAccessResult

LATER = EVENING + 5 * 3600


def asked(obis, selector=None, attribute=2):
    device = controller()
    selection = None if selector is None else (selector[0], axdr.encode(selector[1]))
    answer = LogicalHome(device, HomeMemory(lambda: EVENING)).get(
        1, AttributeDescriptor(7, obis, attribute), selection, LATER
    )
    return answer if isinstance(answer, DataAccessResult) else axdr.native(axdr.decode_all(answer))


def moment(unix_s):
    return axdr.octets(CosemDateTime.from_utc(datetime.fromtimestamp(unix_s, UTC), 0).encode())


def span(first, last, columns=(), restricting=CLOCK_TIME):
    return 1, axdr.structure(CAPTURE_OBJECT.untyped(restricting), moment(first), moment(last), axdr.array(*columns))


def entries(first, last):
    return 2, axdr.structure(axdr.u32(first), axdr.u32(last), axdr.u16(1), axdr.u16(0))


def test_hours_are_rows_with_relays_and_energy():
    rows = asked(HOURLY)
    assert [row[1] for row in rows] == [3] * 5
    assert all(later[2] >= earlier[2] for earlier, later in pairwise(rows))
    assert asked(HOURLY, attribute=7) == 5
    assert asked(HOURLY, attribute=4) == 3600


def test_a_range_and_an_entry_have_their_rows():
    rows = asked(HOURLY)
    assert asked(HOURLY, span(EVENING + 7200, EVENING + 10800)) == rows[1:3]
    assert asked(HOURLY, entries(2, 3)) == rows[1:3]
    energy = CAPTURE_OBJECT.untyped({"class_id": 3, "obis": "1-0:1.8.0", "attribute": 2, "data_index": 0})
    assert asked(HOURLY, span(EVENING, LATER, (energy,))) == [row[2:] for row in rows]


def test_a_selection_that_is_none_is_refused():
    assert asked(HOURLY, (1, axdr.u8(1))) is DataAccessResult.TYPE_UNMATCHED
    other = CLOCK_TIME.__class__(class_id=3, obis=Obis(1, 0, 1, 8, 0), attribute=2)
    assert asked(HOURLY, span(EVENING, LATER, restricting=other)) is DataAccessResult.OTHER_REASON


def test_the_log_tells_what_happened():
    assert [row[1] for row in asked(LOG)] == [Code.STARTED]
