"""Who has the say over a relay: every state against every other, and what never happens."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.home.rules import Cause, Hold, Relay

NOW = 1000.0
HELD, OVER, LATER = (900.0, 1100.0), (800.0, 1000.0), (1001.0, 1200.0)


def hold(on, span, ident=1):
    return Hold(on=on, from_s=span[0], until_s=span[1], ident=ident)


@pytest.mark.covers("F5b", "F5e")
@pytest.mark.parametrize("order", [None, False, True])
@pytest.mark.parametrize("override", [None, False, True])
def test_every_state_has_one_answer(order, override):
    for limited, emergency, ordered, overridden in product((False, True), (False, True), (HELD, OVER), (HELD, LATER)):
        relay = Relay(
            orders=() if order is None else (hold(order, ordered),),
            override=None if override is None else hold(override, overridden),
            emergencies=(hold(False, HELD),) if emergency else (),
            is_limited=limited,
        )
        on, cause = relay.decide(NOW)
        if emergency:
            assert (on, cause) == (False, Cause.EMERGENCY)
        elif limited:
            assert (on, cause) == (False, Cause.LIMIT)
        elif override is not None and overridden is HELD:
            assert (on, cause) == (override, Cause.OVERRIDE)
        elif order is not None and ordered is HELD:
            assert (on, cause) == (order, Cause.ORDER)
        else:
            assert (on, cause) == (True, Cause.NOTHING)


spans = st.tuples(st.integers(0, 2000), st.integers(1, 2000)).map(lambda both: (float(both[0]), float(sum(both))))
holds = st.builds(hold, st.booleans(), spans, st.integers(0, 3))
relays = st.builds(
    Relay,
    orders=st.lists(holds, max_size=4).map(tuple),
    override=st.none() | holds,
    emergencies=st.lists(st.builds(hold, st.just(False), spans, st.integers(0, 3)), max_size=3).map(tuple),
    is_limited=st.booleans(),
)


@pytest.mark.covers("F5e")
@given(relay=relays, now=st.integers(0, 4500))
def test_nothing_is_on_in_an_emergency(relay, now):
    on, _ = relay.decide(now)
    assert not (on and any(one.holds(now) for one in relay.emergencies))


@given(relay=relays, now=st.integers(0, 4500))
def test_nothing_changes_before_the_next_change(relay, now):
    change = relay.next_change(now)
    until = 5000 if change is None else int(change) - 1
    assert {relay.decide(at) for at in range(now, until, 7)} <= {relay.decide(now)}


@given(relay=relays, now=st.integers(0, 4500))
def test_tidying_changes_nothing_from_now_on(relay, now):
    assert [relay.tidied(now).decide(at) for at in range(now, 4500, 50)] == [
        relay.decide(at) for at in range(now, 4500, 50)
    ]


@given(relay=relays)
def test_every_order_expires(relay):
    assert relay.tidied(5000) == Relay(is_limited=relay.is_limited)


def test_the_last_order_counts_and_the_same_again_replaces():
    relay = Relay().ordered(hold(False, HELD, 1)).ordered(hold(True, HELD, 2))
    assert relay.decide(NOW) == (True, Cause.ORDER)
    assert relay.ordered(hold(False, HELD, 1)).decide(NOW) == (False, Cause.ORDER)
    assert len(relay.ordered(hold(False, HELD, 1)).orders) == 2
    assert relay.released(950).decide(NOW) == (True, Cause.NOTHING)


def test_one_emergency_is_ended_and_the_other_goes_on():
    relay = Relay().cut(hold(False, HELD, 1)).cut(hold(False, HELD, 2)).rescued(950, 1)
    assert relay.decide(NOW) == (False, Cause.EMERGENCY)
    assert relay.rescued(950).decide(NOW) == (True, Cause.NOTHING)
