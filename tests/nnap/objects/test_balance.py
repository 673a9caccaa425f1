"""The balance of the transformer as objects."""

import pytest

from meterway.mapping.transformer import BALANCES, decode_balances
from meterway.nnap.objects.balance import balance_things
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.profile_generic import RangeSelector
from meterway.stacks.dlms.tabled.table import date_time
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import DataAccessResult
from nnap.objects.test_own import asked
from nnap.test_balancing import DAY, FIRST, LOADS, Street, steady

pytestmark = pytest.mark.covers("E-NNAP", "IF-G2")


def street(days=3):
    found = Street()
    for day in range(days):
        found.read_all(LOADS, steady(100 * day), day=day)
        found.judge(day)
    return found, asked(found.network)


def thing(obis):
    return next(one for one in balance_things() if one.obis == obis)


def test_the_profile_has_a_row_a_day_and_can_be_asked_for_some():
    found, ask = street()
    profile = thing(BALANCES)
    assert decode_balances(axdr.encode(profile.attributes[2].read(ask))) == tuple(found.days)
    assert profile.attributes[7].read(ask).value == len(found.days) == 3
    moments = (CosemDateTime.decode(date_time(FIRST + day * DAY).value) for day in (1, 1))
    some = ask._replace(selection=Selection(RangeSelector.selector, RangeSelector.between(*moments).encode()))
    assert decode_balances(axdr.encode(profile.attributes[2].read(some))) == (found.days[1],)


def test_the_parts_are_those_of_the_last_day():
    found, ask = street()
    given = next(one for one in balance_things() if one.obis[4] == 6)
    assert given.class_id == 3
    assert given.attributes[2].read(ask).value == found.days[-1].given


def test_nothing_is_there_before_a_day_was_judged():
    _, ask = street(days=0)
    assert thing(BALANCES).attributes[2].read(ask).value == ()
    parts = [one for one in balance_things() if one.obis != BALANCES]
    assert len(parts) == 12
    assert {one.attributes[2].read(ask) for one in parts} == {DataAccessResult.OBJECT_UNAVAILABLE}
