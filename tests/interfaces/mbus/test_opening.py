"""What an opened telegram shows of its sender."""

from __future__ import annotations

import pytest

from lnap_town import RadioMeter
from meterway.interfaces.mbus.meters import Profile
from meterway.interfaces.mbus.opening import TriedKeys, counter_of, listens, protection_of
from meterway.stacks.mbus.telegram import decode


@pytest.mark.covers("SEC-05")
@pytest.mark.parametrize(
    ("mode", "profile"), [(0, Profile.PLAIN), (5, Profile.A), (7, Profile.B), (8, Profile.B), (10, Profile.D)]
)
def test_the_protection_is_the_one_that_was_verified(mode: int, profile: Profile) -> None:
    meter = RadioMeter(mode=mode, counter=6)
    telegram = decode(meter.telegram(1), keys=[meter.key])
    assert protection_of(telegram) is profile
    assert counter_of(telegram) == (7 if mode > 5 else None)
    assert listens(telegram)


def test_the_key_that_opened_is_the_last_that_was_tried() -> None:
    meter = RadioMeter()
    keys = TriedKeys([b"x" * 16, meter.key, b"y" * 16])
    decode(meter.telegram(1), keys=keys)
    assert keys.last == meter.key


def test_a_one_way_meter_does_not_listen() -> None:
    meter = RadioMeter(bidirectional=False)
    assert not listens(decode(meter.telegram(1), keys=[meter.key]))
