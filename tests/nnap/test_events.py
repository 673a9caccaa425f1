"""The concentrator's events."""

import pytest

from meterway.nnap.events import SECURITY, Code, Event


@pytest.mark.covers("E-NNAP")
def test_an_event_comes_back_from_a_row_and_every_code_fits_an_octet():
    event = Event(1.5, Code.NODE_JOINED, "M1", "address 7")
    assert Event.of(event.time_s, int(event.code), event.serial, event.detail) == event
    assert all(0 < code <= 255 for code in Code)
    assert {Code.NODE_JOINED, Code.KEY_FAILED} <= SECURITY
    assert Code.NODE_SILENT not in SECURITY
