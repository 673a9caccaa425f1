"""The seeded past of event logs."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from meterway.meter.events import EventCode, Log, past_events, past_power_cuts
from meterway.meter.zone import CENTRAL_EUROPE

DAYS = st.integers(18262, 24000)


@given(seed=st.integers(0, 2**60), first=DAYS, count=st.integers(1, 100), cut=st.integers(0, 99))
def test_the_past_is_the_same_however_it_is_cut(seed: int, first: int, count: int, cut: int) -> None:
    cut = min(cut, count)
    whole = past_power_cuts(seed, first, first + count)
    parts = past_power_cuts(seed, first, first + cut) + past_power_cuts(seed, first + cut + 1, first + count)
    assert whole == parts


@given(seed=st.integers(0, 2**60), log=st.sampled_from(Log))
def test_a_log_holds_only_its_own_events_in_order(seed: int, log: Log) -> None:
    installed = 20454 * 86400
    found = past_events(seed, CENTRAL_EUROPE, log, installed_s=installed, first_day=20454, last_day=20554)
    assert all(event.log is log for event in found)
    times = [event.unix_s for event in found]
    assert times == sorted(times)
    assert not times or times[0] >= installed


def test_both_changes_of_the_clocks_are_logged_in_a_year() -> None:
    found = past_events(1, CENTRAL_EUROPE, Log.STANDARD, installed_s=0, first_day=20454, last_day=20454 + 364)
    turns = [event.unix_s for event in found if event.code == EventCode.SUMMER_TIME_CHANGED]
    assert [datetime.fromtimestamp(turn, UTC).month for turn in turns] == [3, 10]


def test_every_power_cut_has_a_start_and_an_end() -> None:
    found = past_events(1, CENTRAL_EUROPE, Log.STANDARD, installed_s=0, first_day=20454, last_day=20454 + 364)
    downs = sum(event.code == EventCode.POWER_DOWN for event in found)
    ups = sum(event.code == EventCode.POWER_UP for event in found)
    assert downs == ups > 0
