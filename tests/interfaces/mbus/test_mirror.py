"""The mirror shows the last value with its age; the mailbox keeps orders until a meter wakes, or time is over."""

from __future__ import annotations

import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.interfaces.mbus.mirror import Mailbox, Mirror, Mirrored, OrderState

GAS = Obis(7, 0, 3, 0, 0)


@pytest.mark.covers("F1a", "UC-BI-02", "E-LNAP-2")
def test_the_mirror_tells_the_last_value_and_its_age() -> None:
    mirror = Mirror()
    assert mirror.age_s(1, 100.0) is None
    mirror.put(1, Mirrored(GAS, 5, -3, 13, 100.0, device_s=90.0))
    mirror.put(1, Mirrored(GAS, 6, -3, 13, 200.0))
    assert [value.raw for value in mirror.of(1)] == [6]
    assert mirror.age_s(1, 260.5) == 60
    mirror.forget(1)
    assert mirror.get(1, GAS) is None


def test_a_value_was_measured_when_the_meter_says_so_but_never_after_it_came() -> None:
    assert Mirrored(GAS, 5, -3, 13, 100.0, device_s=90.0).measured_s == 90.0
    assert Mirrored(GAS, 5, -3, 13, 100.0, device_s=900.0).measured_s == 100.0


@pytest.mark.covers("UC-BI-05")
def test_orders_go_out_one_after_the_other_and_expire() -> None:
    box = Mailbox()
    first = box.add(1, "data", b"a", now=0.0, expires_s=50.0)
    second = box.add(1, "key", b"b", now=1.0, expires_s=100.0)
    assert box.next(2, 2.0) is None
    assert box.next(1, 2.0) is first
    assert box.in_flight(1) is first
    box.close(first, OrderState.DONE, 3.0)
    assert box.next(1, 4.0) is second
    assert box.expire(100.0) == [second]
    assert second.state is OrderState.EXPIRED
    assert "1 tries" in second.detail


def test_a_newer_valve_order_takes_the_place_of_one_that_waits() -> None:
    box = Mailbox()
    shut = box.add(1, "valve", b"0", now=0.0, expires_s=50.0)
    supply = box.add(1, "valve", b"1", now=1.0, expires_s=50.0)
    assert shut.state is OrderState.EXPIRED
    assert box.waiting(1) == [supply]


def test_a_box_has_an_end() -> None:
    box = Mailbox()
    for number in range(16):
        box.add(1, "data", bytes([number]), now=0.0, expires_s=50.0)
    with pytest.raises(ConfigError, match="16 orders wait"):
        box.add(1, "data", b"", now=0.0, expires_s=50.0)
    box.drop(1)
    assert box.of(1) == []
