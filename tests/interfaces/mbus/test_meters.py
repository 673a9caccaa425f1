"""A meter of the white list shows its name and never its keys."""

from __future__ import annotations

import pytest

from lnap_town import RadioMeter
from meterway.base.errors import ConfigError
from meterway.interfaces.mbus.meters import check_key


def test_a_bound_meter_is_told_by_name_and_not_by_key() -> None:
    meter = RadioMeter().bound()
    assert meter.name == "MWY-10000001-01-03"
    assert repr(meter) == "Bound(MWY-10000001-01-03, channel=1)"


def test_a_key_of_another_size_is_refused() -> None:
    check_key(bytes(16))
    with pytest.raises(ConfigError, match="octets"):
        check_key(bytes(16), bytes(15))
