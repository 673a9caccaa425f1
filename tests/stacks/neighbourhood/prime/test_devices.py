"""What a base node knows of devices: LNIDs go round, an offer stands beside what a device has."""

from meterway.stacks.neighbourhood.prime.devices import Devices
from meterway.stacks.neighbourhood.prime.packet import UNREGISTERED_LNID
from meterway.stacks.neighbourhood.station import Member

ONE, TWO, EUI = b"ONE_48", b"TWO_48", b"METER001"


def test_an_offer_replaces_what_a_device_has_only_when_it_is_taken():
    devices = Devices()
    first = devices.offer(ONE, 7)
    assert (first.lnid, first.node) == (1, 7)
    assert devices.offered(ONE) is first
    assert devices.register(first) is None
    assert devices.offered(ONE) is None
    second = devices.offer(ONE, 7)
    assert devices.is_registered(first)
    assert devices.behind(first.lnid) is first
    assert devices.register(second) is first
    assert devices.is_registered(second)
    devices.drop(first)
    assert devices.is_registered(second)
    assert devices.behind(first.lnid) is None


def test_who_is_on_the_way_in_is_counted():
    devices = Devices()
    one, two = devices.offer(ONE, 1), devices.offer(TWO, 2)
    assert devices.joining == 2
    devices.register(one)
    assert devices.joining == 2
    devices.members[EUI] = Member(eui=EUI, node=1, address=one.lnid)
    assert devices.joining == 1
    assert devices.of(EUI) is one
    devices.unregister(two)
    assert devices.joining == 0
    assert devices.behind(two.lnid) is two
    assert devices.of(b"nobody00") is None


def test_lnids_go_round_and_run_out_kindly():
    devices = Devices()
    devices.begin_at(100)
    given = [devices.offer(b"%06d" % number, 0).lnid for number in range(UNREGISTERED_LNID - 1)]
    assert given[0] == 101
    assert sorted(given) == list(range(1, UNREGISTERED_LNID))
    assert devices.offer(b"last__", 0) is None
    devices.drop(devices.behind(5))
    assert devices.next_lnid() == 5
