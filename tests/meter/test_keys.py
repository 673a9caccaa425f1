"""The keys of one meter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError
from meterway.meter.keys import Keys, derive_join_key

SECRET = bytes(range(16))


@pytest.mark.covers("SEC-02")
@given(first=st.text(min_size=1), second=st.text(min_size=1))
def test_no_two_serials_share_a_key(first: str, second: str) -> None:
    one, two = Keys.derive(SECRET, first), Keys.derive(SECRET, second)
    assert (one == two) is (first == second)
    assert len({one.guek, one.gak, one.kek}) == 3


def test_a_short_secret_or_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 16"):
        Keys.derive(b"short", "M1")
    with pytest.raises(ConfigError, match="gak must have 16 octets, it has 3"):
        Keys(guek=SECRET, gak=b"abc", kek=SECRET, lls=b"password")
    with pytest.raises(ConfigError, match="lls"):
        Keys(guek=SECRET, gak=SECRET, kek=SECRET, lls=b"")


def test_keys_never_show_in_a_text() -> None:
    keys = Keys.derive(SECRET, "M1")
    assert str(keys) == repr(keys) == "Keys(…)"


def test_a_join_key_is_a_devices_own_and_no_other_key() -> None:
    keys = Keys.derive(bytes(range(16)), "M1")
    joins = {derive_join_key(bytes(range(16)), serial) for serial in ("M1", "M2")}
    assert len(joins) == 2
    assert not joins & {keys.guek, keys.gak, keys.kek}
