"""Alarms come up in time order, once, and can be moved and cancelled."""

from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.neighbourhood.alarms import Alarms

STEPS = st.lists(st.tuples(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 50))), max_size=200)


@given(STEPS)
def test_alarms_agree_with_a_plain_dict(steps):
    alarms, plain = Alarms(), {}
    for key, when in steps:
        alarms.set(key, when)
        if when is None:
            plain.pop(key, None)
        else:
            plain[key] = when
        assert alarms.next() == min(plain.values(), default=None)
        assert alarms.when(key) == plain.get(key)
    for now in range(0, 51, 7):
        due = alarms.take_due(now)
        assert sorted(due) == sorted(key for key, when in plain.items() if when <= now)
        assert [plain[key] for key in due] == sorted(plain[key] for key in due)
        plain = {key: when for key, when in plain.items() if when > now}


def test_moving_one_alarm_for_ever_does_not_pile_up():
    alarms = Alarms()
    for when in range(10_000):
        alarms.set("one", when)
    assert len(alarms._heap) < 100
    alarms.cancel("one")
    assert alarms.next() is None
    assert alarms.take_due(1e9) == []
