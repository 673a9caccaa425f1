"""The gas meter behind a channel."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meterway.meter.gas import HOUR_S, gas_litres, gas_litres_at
from meterway.meter.load import Load

NOON = 1_773_226_800


@given(seed=st.integers(0, 2**63), channel=st.integers(1, 4))
def test_the_volume_never_falls_and_is_told_once_an_hour(seed: int, channel: int) -> None:
    load = Load(seed=seed)
    times = np.arange(NOON, NOON + 12 * HOUR_S, 600)
    litres = gas_litres(load, channel, times)
    assert (np.diff(litres) >= 0).all()
    assert litres[-1] > litres[0]
    assert (np.diff(litres)[(times[1:] % HOUR_S) != 0] == 0).all()
    assert gas_litres_at(load, channel, float(times[7])) == litres[7]


def test_channels_have_meters_of_their_own() -> None:
    load = Load(seed=3)
    assert gas_litres_at(load, 1, NOON) != gas_litres_at(load, 2, NOON)
