import pytest

from meterway.base.errors import DecodeError
from meterway.stacks.neighbourhood.ieee802154 import FrameKind, MacFrame
from meterway.stacks.neighbourhood.wpan.beacon import Beacon, beacon_request


def test_a_beacon_comes_back():
    beacon = Beacon(pan=0x781D, incarnation=b"1234")
    assert Beacon.of(MacFrame.decode(beacon.frame(5).encode())) == beacon
    assert beacon.frame(5).encode().hex() == "008005" + "1d780000" + "ffcf0000" + "0000" + b"1234".hex()


def test_the_request():
    assert beacon_request(1).encode().hex() == "030801ffffffff07"


def test_other_beacons():
    known = Beacon(pan=1, incarnation=b"1234").frame(5)
    other = MacFrame(kind=FrameKind.BEACON, sequence=1, source_pan=1, source=5, payload=known.payload)
    assert Beacon.of(other) is None
    with pytest.raises(DecodeError):
        Beacon.of(MacFrame(kind=FrameKind.BEACON, sequence=1, source_pan=1, source=0, payload=b"\xff\xcf\x00\x00"))
