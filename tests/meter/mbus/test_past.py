"""What meters said before anybody looked."""

from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.past import said
from meterway.meter.mbus.usage import Utility
from meterway.stacks.mbus.link.frames import RSP_UD
from meterway.stacks.mbus.telegram import decode

KEY = bytes(range(16))
RADIO = MeterConfig(ident="10000001", utility=Utility.GAS, key=KEY.hex(), radio="T1")
WIRED = MeterConfig(ident="30000001", utility=Utility.HEAT, security=0, primary=5)
TIMES = (1_790_000_000.0, 1_790_003_600.0, 1_790_007_200.0)


def test_every_meter_speaks_at_every_moment_and_its_values_rise():
    told = list(said((RADIO, WIRED), TIMES))
    assert [one.time_s for one in told] == sorted(TIMES * 2)
    assert [one.mode for one in told[:2]] == ["T1", ""]
    volumes = [decode(one.octets, keys=[KEY], link="radio").records[0].value for one in told if one.mode]
    assert volumes == sorted(volumes)
    assert volumes[0] < volumes[-1]
    wired = [decode(one.octets, keys=[], link="wired") for one in told if not one.mode]
    assert {one.frame.control & 0x4F for one in wired} == {RSP_UD}


def test_counters_go_on_where_the_last_run_ended(tmp_path):
    state = tmp_path / "state"
    before = [one.octets for one in said((RADIO,), TIMES, state=state)]
    after = [one.octets for one in said((RADIO,), TIMES, state=state)]
    assert len(set(before + after)) == 6, "the same reading twice is not the same telegram twice"
    counters = [decode(one, keys=[KEY], link="radio").afl.counter for one in before + after]
    assert counters == sorted(set(counters))
