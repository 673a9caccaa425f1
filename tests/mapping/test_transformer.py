"""The rows of a transformer's balance, between concentrator and head end."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.mapping.transformer import COLUMNS, DayBalance, Lack, Verdict, decode_balances
from meterway.stacks.dlms import axdr

pytestmark = pytest.mark.covers("IF-G2", "E-NNAP")

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
I64, I16 = st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-0x8000, 0x7FFF)
SERIAL = st.text(st.characters(categories=("L", "N")), max_size=16)
LACKS = st.lists(st.builds(Lack, SERIAL, U16), max_size=4).map(tuple)


@st.composite
def days(draw):
    intervals, missing = draw(U16), draw(LACKS)
    return DayBalance(
        day=draw(st.integers(0, 40_000)) * 86400, revision=draw(U32), judged=draw(U32),
        period=draw(st.integers(0, 86400)), intervals=intervals, complete=draw(st.integers(0, intervals)),
        given=draw(I64), taken=draw(I64), low=draw(I16), high=draw(I16), verdict=draw(st.sampled_from(Verdict)),
        lacking=draw(st.integers(len(missing), 0xFFFF)), missing=missing,
    )  # fmt: skip


ONE = DayBalance(
    day=86400, judged=200_000, period=900, intervals=96, complete=90, given=1000, taken=930, low=-20, high=60,
    verdict=Verdict.BEYOND, lacking=1, missing=(Lack("M1", 6),),
)  # fmt: skip


@given(st.lists(days(), max_size=4, unique_by=lambda one: one.day))
def test_what_was_encoded_is_decoded(found):
    octets = axdr.encode(axdr.array(*(one.encode() for one in found)))
    assert decode_balances(octets) == tuple(found)


def test_a_row_has_the_columns_it_says_and_its_octets_are_these():
    assert len(ONE.encode().value) == len(COLUMNS) == 13
    assert axdr.encode(ONE.encode()).hex() == (
        "020d" "090c07b201020500000000000000" "0600000001" "0600030d40" "0600000384" "120060" "12005a"
        "1400000000000003e8" "1400000000000003a2" "10ffec" "10003c" "1602" "120001" "0101" "0202" "09024d31" "120006"
    )  # fmt: skip


def test_what_is_lost_and_its_share():
    assert (ONE.lost, ONE.share) == (70, 0.07)
    assert replace(ONE, given=0).share is None


@pytest.mark.parametrize(
    "changes",
    [
        {"complete": 97},
        {"verdict": 9},
        {"day": 86401},
        {"period": 86401},
        {"lacking": 0},
        {"missing": (Lack("\n", 1),)},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_what_no_day_can_be_is_refused(changes):
    with pytest.raises(DecodeError):
        DayBalance.decode(axdr.to_native(axdr.encode(replace(ONE, **changes).encode()))[0])


def test_a_day_that_stands_twice_and_what_is_no_array_are_refused():
    for octets in (
        axdr.encode(axdr.array(ONE.encode(), ONE.encode())),
        axdr.encode(axdr.u8(1)),
        axdr.encode(axdr.array(axdr.u8(1))),
        axdr.encode(axdr.array()) + b"\0",
    ):
        with pytest.raises(DecodeError):
            decode_balances(octets)


@given(st.binary(max_size=80))
def test_any_octets_are_decoded_or_refused(octets):
    try:
        found = decode_balances(octets)
    except DecodeError:
        return
    assert decode_balances(axdr.encode(axdr.array(*(one.encode() for one in found)))) == found
