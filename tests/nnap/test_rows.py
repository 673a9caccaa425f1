"""Rows of a profile: cut, made to stand alone, joined."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.nnap import rows as rows_module
from meterway.nnap.rows import cut_rows, joined_rows
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME

ENERGY = CaptureObject(class_id=3, obis=Obis(1, 0, 1, 8, 0), attribute=2)
COLUMNS = (CLOCK_TIME, ENERGY)
T0 = 1_790_000_100


def clock(unix_s, deviation=-60):
    return axdr.octets(CosemDateTime.from_utc(datetime.fromtimestamp(unix_s, UTC), deviation).encode())


def buffer(*rows):
    return axdr.encode(axdr.array(*[axdr.structure(*row) for row in rows]))


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20), st.integers(-720, 720))
def test_whole_rows_come_out_as_they_went_in(values, deviation):
    octets = buffer(*[(clock(T0 + 900 * n, deviation), axdr.u32(value)) for n, value in enumerate(values)])
    rows = cut_rows(octets, COLUMNS, 900)
    assert [row.time_s for row in rows] == [T0 + 900 * n for n in range(len(values))]
    assert joined_rows(row.octets for row in rows) == octets


def test_what_is_left_out_is_made_explicit():
    whole = buffer(*[(clock(T0 + 900 * n), axdr.u32(5)) for n in range(3)])
    short = buffer((clock(T0), axdr.u32(5)), (axdr.null(), axdr.null()), (axdr.null(), axdr.u32(5)))
    assert cut_rows(short, COLUMNS, 900) == cut_rows(whole, COLUMNS, 900)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x00",
        b"\x06\x00\x00\x00\x01",
        buffer((axdr.null(), axdr.u32(1))),
        buffer((clock(T0),)),
        buffer((axdr.u32(7), axdr.u32(1))),
        axdr.encode(axdr.array(axdr.u32(1))),
    ],
)
def test_what_is_no_buffer_of_these_columns_is_refused(octets):
    with pytest.raises(DecodeError):
        cut_rows(octets, COLUMNS, 900)


def test_a_profile_without_clock_has_no_times():
    with pytest.raises(DecodeError, match="clock"):
        cut_rows(buffer((axdr.u32(1),)), (ENERGY,), 900)


@given(st.binary(max_size=60))
def test_any_octets_are_refused_or_rows(octets):
    try:
        rows = cut_rows(octets, COLUMNS, 900)
    except DecodeError:
        return
    assert all(len(row) == 2 for row in rows)


BOOLEAN = CaptureObject(class_id=1, obis=Obis(0, 0, 96, 1, 0), attribute=2)


def exactly(octets, columns=COLUMNS):
    """By the general way, value by value."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "_cut_alike", lambda *_: None)
        return cut_rows(octets, columns, 900)


@given(
    st.lists(
        st.tuples(st.integers(0, 2**31), st.binary(min_size=3, max_size=4), st.integers(0, 255)), min_size=3, max_size=8
    ),
    st.sampled_from((axdr.u32, axdr.octets, axdr.boolean)),
    st.data(),
)
def test_rows_of_one_shape_are_cut_as_any_others_are(found, kind, data):
    columns = (ENERGY, CLOCK_TIME, BOOLEAN)
    take = {axdr.u32: lambda one: one[0], axdr.octets: lambda one: one[1], axdr.boolean: lambda one: one[2] > 127}[kind]
    octets = bytearray(buffer(*[(axdr.u32(one[0]), clock(T0 + one[2]), kind(take(one))) for one in found]))
    if data.draw(st.booleans()):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        wanted = exactly(bytes(octets), columns)
    except DecodeError:
        with pytest.raises(DecodeError):
            cut_rows(bytes(octets), columns, 900)
    else:
        assert cut_rows(bytes(octets), columns, 900) == wanted


def test_a_length_that_could_be_shorter_is_made_so():
    row = b"\x02\x81\x02" + axdr.encode(clock(T0)) + axdr.encode(axdr.u32(5))
    octets = b"\x01\x05" + 5 * row
    assert cut_rows(octets, COLUMNS, 900) == exactly(octets)
    assert cut_rows(octets, COLUMNS, 900)[0].octets[:2] == b"\x02\x02"
