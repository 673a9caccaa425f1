"""The security setup: policy, and keys under the master key."""

from collections.abc import Callable
from typing import Any

import pytest

from meterway.meter.device import Meter
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client import Associated
from meterway.stacks.dlms.security.keys import wrap_key
from meterway.stacks.dlms.xdlms.results import ActionResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]


@pytest.mark.covers("SEC-07", "UC-IN-04")
def test_a_transferred_key_holds_from_the_next_association_and_its_counters_start_afresh(
    make: Make, talk: Talks
) -> None:
    meter = make()
    old = meter.keys
    line = talk(meter, counter=900)
    fresh = bytes(range(100, 116))
    entry = axdr.structure(axdr.enum(0), axdr.octets(wrap_key(old.kek, fresh)))
    assert line.act(64, "0-0:43.0.0*255", 2, axdr.array(entry)) is ActionResult.SUCCESS
    assert line.get(1, "0-0:42.0.0*255") == b"MWYM0001"
    assert meter.keys.guek == fresh
    assert isinstance(talk(meter, counter=0).events[-1], Associated)
    meter.keys = old
    assert isinstance(talk(meter, counter=901).events[-1], Associated)


@pytest.mark.covers("SEC-07")
def test_a_key_wrapped_under_another_master_key_changes_nothing(make: Make, talk: Talks) -> None:
    meter = make()
    good = axdr.structure(axdr.enum(2), axdr.octets(wrap_key(meter.keys.kek, bytes(16))))
    bad = axdr.structure(axdr.enum(0), axdr.octets(wrap_key(bytes(16), bytes(16))))
    line = talk(meter)
    assert line.act(64, "0-0:43.0.0*255", 2, axdr.array(good, bad)) is ActionResult.OTHER_REASON
    assert meter.keys == make().keys


@pytest.mark.covers("SEC-07")
def test_the_policy_is_the_strongest_there_is(make: Make, talk: Talks) -> None:
    line = talk(make())
    assert line.get(64, "0-0:43.0.0*255", 2) == 3
    assert line.act(64, "0-0:43.0.0*255", 1, axdr.enum(3)) is ActionResult.SUCCESS
    assert line.act(64, "0-0:43.0.0*255", 1, axdr.enum(1)) is ActionResult.OTHER_REASON
