"""OBIS codes are read in every form that people and telegrams write, and written in the norm's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError, DecodeError
from meterway.base.obis import Obis

CODES = st.builds(Obis, *[st.integers(0, 255)] * 6)


@given(CODES)
def test_octets_and_text_give_the_code_back(code):
    assert Obis.decode(code.encode()) == code
    assert Obis.parse(str(code)) == code
    assert Obis.parse(".".join(map(str, code))) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.8.0", (1, 0, 1, 8, 0, 255)),
        ("1-0:1.8.0*255", (1, 0, 1, 8, 0, 255)),
        ("0-1:24.2.1", (0, 1, 24, 2, 1, 255)),
        ("1.0.1.8.0.255", (1, 0, 1, 8, 0, 255)),
        ("1-0:1.8.0&3", (1, 0, 1, 8, 0, 3)),
        ("1.8", (1, 0, 1, 8, 0, 255)),
        ("  2.8.1  ", (1, 0, 2, 8, 1, 255)),
    ],
)
def test_left_out_groups_take_what_is_usual(text, code):
    assert Obis.parse(text) == code


def test_medium_and_channel_of_a_short_code_may_be_given():
    assert Obis.parse("24.2.1", a=0, b=3) == (0, 3, 24, 2, 1, 255)
    assert Obis(0, 3, 24, 2, 1).short == "0-3:24.2.1"


@pytest.mark.parametrize("text", ["", "energy", "1", "1.8.0.1.2", "1-0:1.8.256", "256.0.1.8.0.255", "1.8.0*"])
def test_what_is_no_code_is_refused_with_its_text(text):
    with pytest.raises(ConfigError, match="OBIS code") as refusal:
        Obis.parse(text)
    assert repr(text) in str(refusal.value)


@given(st.text(max_size=30))
def test_any_text_is_a_code_or_a_config_error(text):
    try:
        code = Obis.parse(text)
    except ConfigError:
        return
    assert all(0 <= group <= 255 for group in code)


@given(st.binary(max_size=12).filter(lambda octets: len(octets) != 6))
def test_any_other_count_of_octets_is_refused(octets):
    with pytest.raises(DecodeError, match=f"not {len(octets)}"):
        Obis.decode(octets)
