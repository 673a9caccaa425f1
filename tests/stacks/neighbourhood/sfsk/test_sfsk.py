"""The factories, and what a whole network costs."""

import pytest

from meterway.base.errors import LocalProtocolError
from meterway.stacks.neighbourhood import sfsk
from stacks.neighbourhood.carrier import Carrier
from stacks.neighbourhood.effort import instructions


def test_factories_take_settings_or_have_their_own():
    told = sfsk.SfskSettings(initiator=0xC42)
    assert sfsk.coordinator(b"BASE0001", lambda eui: b"", told).address == 0xC42
    assert sfsk.coordinator(b"BASE0001", lambda eui: b"").max_apdu == 239
    assert sfsk.node(b"METER001", None, b"").eui == b"METER001"
    with pytest.raises(LocalProtocolError):
        sfsk.node(b"short")


@pytest.mark.covers("IF-C")
def test_asking_when_costs_little_with_many_members():
    carrier = Carrier()
    base = carrier.add(0, sfsk.coordinator(b"BASE0001", lambda eui: b""))
    for number in range(1, 301):
        carrier.add(number, sfsk.node(b"MTR%05d" % number))
    carrier.run(1800)
    assert len(base.members) == 300
    assert instructions(base.next_timeout) < 300  # it does not look through them
