import pytest

from meterway.town.hosts import hosts_of
from meterway.town.plan import TownPlan, serial_of

SECRET = bytes(range(32))


def test_every_meter_lives_once_and_a_part_speaks_hdlc():
    tcp, hdlc = hosts_of(TownPlan(meters=50), SECRET)
    serials = [meter.serial for host in (tcp, hdlc) for meter in host.meters]
    assert sorted(serials) == [serial_of(number) for number in range(1, 51)]
    assert len(hdlc.meters) == 10
    assert hdlc.listen[0].transport == "hdlc"


@pytest.mark.covers("SEC-02")
def test_no_two_meters_share_a_key_and_another_secret_gives_other_keys():
    first = [meter.keys.guek for host in hosts_of(TownPlan(meters=20), SECRET) for meter in host.meters]
    other = [meter.keys.guek for host in hosts_of(TownPlan(meters=20), bytes(32)) for meter in host.meters]
    assert len(set(first)) == 20
    assert not set(first) & set(other)


def test_households_heat_pumps_pv_and_businesses_are_all_there():
    kinds = {meter.kind.value for host in hosts_of(TownPlan(meters=20), SECRET) for meter in host.meters}
    assert kinds == {"household", "heat pump", "pv", "business"}
