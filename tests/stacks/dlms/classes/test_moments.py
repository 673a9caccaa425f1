"""Moments are taken in every form that meters send, and written in the form of the norm."""

from __future__ import annotations

import pytest

from meterway.base.errors import LocalProtocolError
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.classes import typed, untyped
from meterway.stacks.dlms.classes.types import DATE, DATE_TIME, TIME


def test_a_date_time_with_its_own_tag_or_without_octets_is_taken_with_a_quirk():
    moment = CosemDateTime(year=2026, month=1, day=2)
    quirks: list[str] = []
    assert typed(8, "time", axdr.date_time(moment), quirks=quirks) == moment
    assert typed(4, "capture_time", axdr.octets(b""), quirks=quirks) is None
    assert quirks == ["tagged-date-time", "empty-date-time"]


def test_an_attribute_of_type_date_time_has_its_own_tag():
    moment = CosemDateTime(year=2026, month=1, day=2)
    quirks: list[str] = []
    assert untyped(47, "capture_time", moment) == axdr.date_time(moment)
    assert typed(47, "capture_time", axdr.octets(moment.encode()), quirks=quirks) == moment
    assert quirks == ["untagged-date-time"]


def test_texts_and_mappings_become_moments():
    assert DATE.untyped("2026-12-25").value == CosemDate(year=2026, month=12, day=25).encode()
    assert TIME.untyped("07:30").value == CosemTime(hour=7, minute=30, second=0, hundredths=0).encode()
    assert DATE_TIME.untyped({"month": 3}).value == CosemDateTime(month=3).encode()
    assert DATE_TIME.untyped(None).value == CosemDateTime().encode()


@pytest.mark.parametrize("value", ["soon", {"hour": 1}, {"day": 999}, {"day": "x"}, 5, "2026-01-01T00:00:00"])
def test_what_is_no_date_is_refused(value):
    with pytest.raises(LocalProtocolError):
        (DATE_TIME if value == "2026-01-01T00:00:00" else DATE).untyped(value)
