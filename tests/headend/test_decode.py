"""From octets of devices to values of the store."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.headends import DAY, LOAD, NOW, moment, rows
from meterway.base.errors import DecodeError
from meterway.headend.decode import blocks_of, decode_log, decode_profile, register_value
from meterway.headend.layout import Channel, ProfileLayout
from meterway.stacks.dlms import axdr

MIDNIGHT = DAY * 86400


def test_rows_become_one_block_a_day_and_missing_slots_stay_missing() -> None:
    times = [MIDNIGHT - 900, MIDNIGHT, MIDNIGHT + 1800]
    found = decode_profile(rows(*times, status=8), LOAD, latest_s=NOW)
    blocks, on_grid = blocks_of(found, 900)
    assert on_grid.all()
    assert [block.day for block in blocks] == [DAY - 1, DAY]
    assert np.flatnonzero(blocks[0].channels[0].present).tolist() == [95]
    today = blocks[1].channels[0]
    assert np.flatnonzero(today.present).tolist() == [0, 2]
    assert today.values[today.present].tolist() == [101, 102]
    assert today.quality[today.present].tolist() == [8, 8]
    assert (str(today.column.obis), today.column.unit, blocks[1].slots) == ("1-0:1.8.0*255", 30, 96)


def test_rows_off_the_grid_are_told_apart_and_a_repeated_row_counts_once() -> None:
    found = decode_profile(rows(MIDNIGHT, MIDNIGHT + 17, MIDNIGHT), LOAD, latest_s=NOW)
    blocks, on_grid = blocks_of(found, 900)
    assert on_grid.tolist() == [True, False, True]
    assert int(blocks[0].channels[0].present.sum()) == 1
    assert blocks_of(decode_profile(rows(MIDNIGHT + 1), LOAD, latest_s=NOW), 900)[0] == []


@pytest.mark.covers("UC-IN-02")
def test_rows_outside_the_time_that_was_asked_for_are_refused_and_counted() -> None:
    found = decode_profile(rows(0.0, MIDNIGHT, NOW + 9e7), LOAD, latest_s=NOW, earliest_s=MIDNIGHT)
    assert (found.times_s.tolist(), found.refused) == ([MIDNIGHT], 2)
    assert found.values.shape == (2, 1)


def test_devices_that_send_the_same_moments_share_them_and_nothing_else() -> None:
    one, other = (decode_profile(rows(0.0, MIDNIGHT, status=s), LOAD, latest_s=NOW, earliest_s=-1.0) for s in (8, 0))
    assert one.times_s is other.times_s
    assert not one.times_s.flags.writeable
    assert (one.status.tolist(), other.status.tolist()) == ([8, 8], [0, 0])
    assert decode_profile(rows(0.0, MIDNIGHT), LOAD, latest_s=NOW, earliest_s=1.0).times_s.tolist() == [MIDNIGHT]


def test_an_empty_profile_has_no_rows() -> None:
    found = decode_profile(b"\x01\x00", LOAD, latest_s=NOW)
    assert found.values.shape == (2, 0)
    assert blocks_of(found, 900)[0] == []


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x01",
        b"\x09\x01\x00",
        axdr.encode(axdr.array(axdr.structure(moment(NOW)))),
        axdr.encode(axdr.array(axdr.structure(moment(NOW), axdr.u8(0), axdr.octets(b"x"), axdr.u32(1)))),
        axdr.encode(axdr.array(axdr.structure(moment(NOW), axdr.u8(0), axdr.u64(1 << 63), axdr.u32(1)))),
    ],
)
def test_a_table_of_another_form_is_refused(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_profile(octets, LOAD, latest_s=NOW)


def test_a_profile_that_captures_no_quantity_is_refused() -> None:
    with pytest.raises(DecodeError, match="no quantity"):
        decode_profile(rows(MIDNIGHT), ProfileLayout("1-0:99.1.0*255", 900, 0, 1, ()), latest_s=NOW)


def test_a_status_that_is_no_number_makes_the_row_suspect() -> None:
    octets = axdr.encode(axdr.array(axdr.structure(moment(MIDNIGHT), axdr.octets(b"?"), axdr.u32(5), axdr.u32(6))))
    assert decode_profile(octets, LOAD, latest_s=NOW).status.tolist() == [3]


@given(st.data())
def test_mutated_profiles_bring_only_decode_errors(data: st.DataObject) -> None:
    whole = bytearray(rows(*(MIDNIGHT + 900.0 * number for number in range(4))))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    layout = data.draw(
        st.sampled_from(
            [
                LOAD,
                ProfileLayout("x", 900, 1, 0, (Channel(2, "1-0:1.8.0*255", 0, 255),)),
                ProfileLayout("x", 0, 3, None, ()),
            ]
        )
    )
    for octets in (bytes(whole), cut):
        try:
            found = decode_profile(octets, layout, latest_s=NOW)
        except DecodeError:
            continue
        blocks_of(found, 900)


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        (axdr.encode(axdr.u32(7)), 7),
        (axdr.encode(axdr.i64(-7)), -7),
        (axdr.encode(axdr.u64(1 << 63)), None),
        (axdr.encode(axdr.u64((1 << 63) - 1)), (1 << 63) - 1),
        (b"\x00", None),
        (b"\x03\x01", None),
        (b"\x06\x00", None),
        (axdr.encode(axdr.u8(1)) + b"\x00", None),
    ],
)
def test_a_register_value_is_a_whole_number_the_store_can_hold(octets: bytes, value: int | None) -> None:
    assert register_value(octets) == value


def log(*entries: tuple[axdr.Data, ...]) -> bytes:
    return axdr.encode(axdr.array(*[axdr.structure(*entry) for entry in entries]))


def test_log_entries_have_a_time_and_a_code_and_odd_rows_are_counted() -> None:
    entries, odd = decode_log(
        log(
            (moment(NOW), axdr.u8(40)),
            (moment(NOW), axdr.u32(0xFFFFFFFF)),
            (moment(NOW),),
            (axdr.octets(b"12345678901\x00"), axdr.u8(1)),
            (axdr.octets(bytes.fromhex("ffffffffffffffffff8000ff")), axdr.u8(1)),
        )
    )
    assert [(entry.time_s, entry.code) for entry in entries] == [(NOW, 40)]
    assert odd == 4


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda rest: b"\x01\x02\x02\x02" + rest))
def test_any_octets_as_a_log_bring_only_decode_errors(octets: bytes) -> None:
    try:
        decode_log(octets)
    except DecodeError:
        return
