"""A node as the concentrator knows it."""

from meterway.base.obis import Obis
from meterway.nnap.node import Node, Series


def node(**changes):
    return Node(eui=bytes(8), serial="M1", channel=1, **changes)


def test_quality_follows_what_was_answered_of_late():
    one = node()
    for _ in range(30):
        one.judged(answered=False)
    assert one.quality < 0.05
    for _ in range(30):
        one.judged(answered=True)
    assert one.quality > 0.95


def test_half_a_trip_is_smoothed():
    one = node()
    one.measured(2.0)
    assert one.half_trip_s == 2.0
    one.measured(4.0)
    assert 2.0 < one.half_trip_s < 3.0


def test_only_meters_with_keys_are_read():
    assert not node().is_read
    assert not node(keys=object(), role="gateway").is_read
    assert node(keys=object(), role="supervision").is_read
    assert not Series(obis=Obis(1, 0, 99, 1, 0)).is_known
