"""Profiles answer by range and by entry, and say no to what they do not capture."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lnap_objects import Bench
from lnap_town import NOON, RadioMeter, hear
from meterway.base.obis import Obis
from meterway.interfaces.mbus.objects.profile import joined
from meterway.interfaces.mbus.tariff import Row
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import EntrySelector, RangeSelector
from meterway.stacks.dlms.xdlms.parts import Selection

HOURLY = "0-1:24.3.0"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path, RadioMeter(), value=1.0)
    made.book.capture(NOON + 1)
    for hour in range(1, 6):
        made.book.capture(NOON + hour * 3600)
        hear(made.book, made.meter.telegram(1.0 + hour), NOON + hour * 3600 + 60)
    made.now = NOON + 6 * 3600
    return made


def at(hour: int) -> CosemDateTime:
    return CosemDateTime.from_utc(datetime.fromtimestamp(NOON + hour * 3600, UTC), 0)


def values(rows: object) -> list[int]:
    return [row[2] for row in rows]  # type: ignore[attr-defined]


@pytest.mark.covers("F2a", "IF-G1")
def test_rows_come_by_range_by_entry_and_all(bench: Bench) -> None:
    assert values(bench.get(1, 7, HOURLY)) == [1000, 2000, 3000, 4000, 5000]
    by_range = Selection(1, RangeSelector.between(at(2), at(4)).encode())
    assert values(bench.get(1, 7, HOURLY, selection=by_range)) == [2000, 3000, 4000]
    by_entry = Selection(2, EntrySelector(from_entry=4, to_entry=0).encode())
    assert values(bench.get(1, 7, HOURLY, selection=by_entry)) == [4000, 5000]
    assert bench.get(1, 7, HOURLY, 4) == 3600
    assert bench.get(1, 7, HOURLY, 7) == 5
    bench.close()


def test_what_is_not_captured_cannot_be_asked_for(bench: Bench) -> None:
    foreign = CaptureObject(class_id=3, obis=Obis(1, 0, 1, 8, 0), attribute=2)
    wrong = Selection(1, RangeSelector.between(at(0), at(1), columns=(foreign,)).encode())
    assert bench.get(1, 7, HOURLY, selection=wrong) == "object-undefined"
    by_other = Selection(1, RangeSelector.between(at(0), at(1), restricting=foreign).encode())
    assert bench.get(1, 7, HOURLY, selection=by_other) == "other-reason"
    assert bench.get(1, 7, HOURLY, selection=Selection(1, b"\x00")) == "type-unmatched"
    assert bench.get(1, 3, "7-0:3.0.0", selection=Selection(1, b"\x00")) == "scope-of-access-violated"
    bench.close()


def test_registers_stand_side_by_side_where_both_were_captured() -> None:
    table = joined([[Row(1, 10), Row(2, 20, 4)], [Row(2, 7, 2), Row(3, 8)]])
    assert table == ([2], [6], ([20], [7]))
