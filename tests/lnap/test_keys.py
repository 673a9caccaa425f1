"""Each party has keys of its own for each logical device."""

from __future__ import annotations

import pytest

from meterway.base.errors import ConfigError
from meterway.lnap.keys import derive, title_of


@pytest.mark.covers("SEC-05")
def test_no_two_parties_or_devices_share_a_key() -> None:
    secret = bytes(range(16))
    keys = [derive(secret, party, device) for party in ("a", "b") for device in ("x", "y")]
    assert len({key for pair in keys for key in pair}) == 8
    assert all(len(key) == 16 for pair in keys for key in pair)
    assert keys[0].guek.hex() not in repr(keys[0])


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 16"):
        derive(b"short", "a", "x")


def test_a_title_has_eight_octets_and_its_maker() -> None:
    assert title_of("MWY", "a") != title_of("MWY", "b")
    assert title_of("MWY", "a")[:3] == b"MWY"
    assert len(title_of("MWY", "a")) == 8
