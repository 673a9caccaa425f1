"""Settings that cannot work are refused; EUIs inside PRIME."""

import pytest

from meterway.base.errors import ConfigError
from meterway.stacks.neighbourhood.prime.packet import Version
from meterway.stacks.neighbourhood.prime.settings import PrimeSettings, eui48_of, keep_alive_s


@pytest.mark.parametrize(
    "wrong", [{"mtu": 10}, {"mtu": 600}, {"window": 0}, {"window": 32}, {"keep_alive": 8}, {"most_joining": 0}]
)
def test_what_cannot_work_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        PrimeSettings(**wrong)


def test_a_stretched_eui48_is_shortened_again():
    assert eui48_of(bytes.fromhex("021122fffe334455")) == bytes.fromhex("001122334455")


def test_any_other_becomes_a_local_unicast_address_of_its_own():
    made = {eui48_of(b"MWY%05d" % number) for number in range(2000)}
    assert len(made) == 2000
    assert {one[0] & 3 for one in made} == {2}
    assert {len(one) for one in made} == {6}


def test_keep_alive_times_double():
    assert [keep_alive_s(code, Version.V136) for code in (0, 1, 7)] == [32, 64, 4096]
    assert keep_alive_s(0, Version.V14) == 128
