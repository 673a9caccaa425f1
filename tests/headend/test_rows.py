"""Lines for people: what cannot be read or named is told all the same."""

import pytest

from meterway.store.contacts import Contact
from meterway.store.events import Event


@pytest.mark.parametrize("log", ["0-0:99.98.0*255", "no code at all"])
def test_an_event_that_no_profile_knows_is_told_by_its_number(views, idle, log):
    idle.store.devices.update(1, {"profile": "of-nowhere"}, now_ms=0)
    idle.store.events.add_many([Event(device=1, log=log, code=250, time_ms=0, received_ms=0)])
    assert (views.events()[0].title, views.events()[0].serial) == ("Event 250", "A")


def test_a_contact_with_an_unreadable_detail_is_still_told(views, idle):
    contact = Contact(device=1, kind="collect", started_ms=0, duration_us=1500, result="ok", detail="{")
    idle.store.contacts.add(contact)
    told = views.meter("A").contacts[0]
    assert (told.duration_ms, told.quirks, told.clock_offset_s) == (1.5, [], None)
