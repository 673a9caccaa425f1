"""A companion profile answers who may do what, and what an event means."""

from __future__ import annotations

import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.mapping.profile import load_profile

LOAD_PROFILE = Obis(1, 0, 99, 1, 0)
CLOCK = Obis(0, 0, 1, 0, 0)


@pytest.mark.covers("SEC-04")
def test_rights_follow_the_association():
    profile = load_profile("idis")
    public, management = profile.association(16), profile.association(1)
    assert public is not None
    assert management is not None
    assert (public.authentication, public.configure) == ("none", False)
    assert (management.authentication, management.configure) == ("hls5", True)
    assert public.shows(CLOCK)
    assert not public.shows(LOAD_PROFILE)
    assert management.shows(LOAD_PROFILE)
    assert profile.association(99) is None
    clock = profile.object(CLOCK)
    assert 2 in clock.settable
    assert 6 in clock.callable


@pytest.mark.covers("F2a", "UC-EV-02")
def test_event_codes_have_titles_and_severities():
    profile = load_profile("idis")
    assert profile.event("fraud", 42).title == "Strong DC field detected"
    assert profile.event("standard", 1).severity == "warning"
    assert profile.event("fraud", 255).name == "event-log-cleared"
    assert profile.event("fraud", 200).name == "event-200"


def test_objects_are_found_by_code_and_by_what_they_are_read_for():
    profile = load_profile("idis")
    assert profile.object(LOAD_PROFILE) in profile.collected("profile")
    assert [entry.obis for entry in profile.collected("clock")] == [CLOCK]
    assert profile.object(CLOCK).capture_objects == ()
    with pytest.raises(ConfigError, match="profile idis has no object 7-0:3"):
        profile.object(Obis(7, 0, 3, 0, 0))
