"""The scripts of collection, answered by hand."""

from __future__ import annotations

from typing import Any

import pytest

from headend.headends import LAYOUT, LOAD, NOW, moment, play
from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.headend.collect import CLOCK_TIME, Collected, Plan, collect, range_selection
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.client.script import Get, GetList, Set
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.dlms.xdlms.results import DataAccessResult

ENERGY = Obis(1, 0, 1, 8, 0)
EXPORT = Obis(1, 0, 2, 8, 0)
DENIED = DataAccessResult.READ_WRITE_DENIED
PROFILE = Obis.parse(LOAD.obis)


def clock_at(unix_s: float) -> bytes:
    return axdr.encode(moment(unix_s))


def run(plan: Plan, *answers: Any) -> tuple[list[Any], Collected]:
    into = Collected()
    asked, _ = play(collect(plan, into, lambda: NOW), *answers)
    return asked, into


def captured(*columns: tuple[int, str]) -> bytes:
    return axdr.encode(
        axdr.array(
            *[
                axdr.structure(axdr.u16(class_id), axdr.octets(Obis.parse(code).encode()), axdr.i8(2), axdr.u16(0))
                for class_id, code in columns
            ]
        )
    )


SCALER = axdr.encode(axdr.structure(axdr.i8(-1), axdr.enum(30)))


@pytest.mark.covers("UC-BI-01", "UC-EV-03")
def test_a_device_is_learnt_once() -> None:
    plan = Plan(
        identity=(("1-0:0.2.0", AttributeDescriptor(1, Obis(1, 0, 0, 2, 0), 2)),),
        registers=(AttributeDescriptor(3, ENERGY, 2),),
        profiles=((PROFILE, NOW - 900, NOW),),
        pushes=(Obis(0, 4, 25, 9, 0),),
    )
    asked, into = run(
        plan,
        clock_at(NOW),
        axdr.encode(axdr.octets(b"V7")),
        captured((8, "0-0:1.0.0"), (1, "0-0:96.10.1"), (3, "1-0:1.8.0"), (3, "1-0:2.8.0")),
        axdr.encode(axdr.u32(900)),
        (SCALER, DENIED),
        captured((40, "0-4:25.9.0"), (1, "0-0:97.98.0")),
        axdr.encode(axdr.u32(7)),
        b"\x01\x00",
    )
    layout = into.layout
    assert layout is not None
    assert layout.identity == {"1-0:0.2.0": "V7"}
    assert layout.scalers == {"1-0:1.8.0*255": (-1, 30)}
    assert layout.profiles[LOAD.obis].channels[0].scaler == -1
    assert layout.pushes == {"0-4:25.9.0*255": ((40, "0-4:25.9.0*255", 2), (1, "0-0:97.98.0*255", 2))}
    assert isinstance(asked[4], GetList)
    assert [raw.octets for raw in into.registers] == [axdr.encode(axdr.u32(7))]
    assert [raw.from_s for _, raw in into.profiles] == [NOW - 900]


def test_a_known_device_is_asked_for_values_only() -> None:
    plan = Plan(
        registers=(AttributeDescriptor(3, ENERGY, 2), AttributeDescriptor(3, EXPORT, 2)),
        profiles=((PROFILE, NOW - 900, NOW),),
        layout=LAYOUT,
        logs=((EXPORT, 1, 2),),
    )
    asked, into = run(plan, clock_at(NOW), (b"\x06\x00\x00\x00\x01", DENIED), b"\x01\x00", DENIED)
    assert len(asked) == 4
    assert [raw.obis for raw in into.registers] == [ENERGY]
    assert into.refusals == [("1-0:2.8.0*255", DENIED.word), ("1-0:2.8.0*255", DENIED.word)]
    assert len(into.profiles) == 1
    assert into.logs == []


def test_a_list_that_is_refused_is_read_one_by_one() -> None:
    plan = Plan(registers=(AttributeDescriptor(3, ENERGY, 2), AttributeDescriptor(3, EXPORT, 2)), layout=LAYOUT)
    for refused in ((DENIED, DENIED), None, DENIED):
        asked, into = run(plan, clock_at(NOW), refused, b"\x12\x00\x05", b"\x12\x00\x06")
        assert [type(each) for each in asked] == [Get, GetList, Get, Get]
        assert [raw.octets for raw in into.registers] == [b"\x12\x00\x05", b"\x12\x00\x06"]


def test_without_lists_every_attribute_is_read_alone() -> None:
    asked, _ = run(
        Plan(
            registers=(AttributeDescriptor(3, ENERGY, 2), AttributeDescriptor(3, EXPORT, 2)), layout=LAYOUT, list_max=1
        ),
        clock_at(NOW),
        b"",
        b"",
    )
    assert [type(each) for each in asked] == [Get, Get, Get]


@pytest.mark.covers("UC-IN-02")
@pytest.mark.parametrize(("offset_s", "is_set"), [(5.0, False), (-59.0, False), (61.0, True), (-4e7, True)])
def test_a_clock_is_set_when_it_is_further_off_than_allowed(offset_s: float, is_set: bool) -> None:
    plan = Plan(layout=LAYOUT, set_clock_beyond_s=60.0)
    asked, into = run(plan, clock_at(NOW + offset_s), DataAccessResult.SUCCESS)
    assert into.clock_offset_s == pytest.approx(offset_s)
    assert [isinstance(each, Set) for each in asked] == [False, *([True] if is_set else [])]
    if is_set:
        assert into.refusals == []
        told = typed(8, 2, axdr.decode_all(asked[1].value))
        assert isinstance(told, CosemDateTime)
        assert told.utc() is not None
        assert told.utc().timestamp() == pytest.approx(NOW, abs=1)  # type: ignore[union-attr]


def test_a_clock_that_cannot_be_set_is_noted() -> None:
    _, into = run(Plan(layout=LAYOUT, set_clock_beyond_s=60.0), clock_at(NOW + 61), DENIED)
    assert into.refusals == [("setting the clock", DENIED.word)]


def test_a_clock_that_is_not_set_has_no_offset_and_is_noted() -> None:
    unset = axdr.encode(axdr.octets(bytes.fromhex("ffffffffffffffffff8000ff")))
    _, into = run(Plan(layout=LAYOUT), unset)
    assert into.clock is not None
    assert into.clock_offset_s is None
    assert into.refusals[0][0] == "clock"


def test_a_refused_clock_is_noted_and_the_rest_is_read() -> None:
    asked, into = run(Plan(registers=(AttributeDescriptor(3, ENERGY, 2),), layout=LAYOUT), DENIED, b"\x12\x00\x05")
    assert asked[0].attribute == CLOCK_TIME
    assert into.refusals == [("clock", DENIED.word)]
    assert len(into.registers) == 1


def test_what_a_broken_session_had_read_is_still_there() -> None:
    into = Collected()
    script = collect(
        Plan(registers=(AttributeDescriptor(3, ENERGY, 2),), profiles=((PROFILE, 0, 1),), layout=LAYOUT),
        into,
        lambda: NOW,
    )
    play(script, clock_at(NOW), b"\x12\x00\x05")
    script.close()
    assert (len(into.registers), into.profiles) == (1, [])


def test_a_profile_whose_columns_are_unreadable_is_noted_not_read() -> None:
    for broken in (b"\x00", captured((3, "1-0:1.8.0")), b"\x01\x05\x00", DENIED):
        asked, into = run(Plan(profiles=((PROFILE, 0, 1),)), clock_at(NOW), broken, axdr.encode(axdr.u32(900)), SCALER)
        assert into.layout is not None
        assert into.layout.profiles == {}
        assert into.refusals[-1][0] == LOAD.obis
        assert len(asked) <= 4


def test_a_range_is_asked_in_the_devices_own_local_time() -> None:
    selection = range_selection(NOW, NOW + 900, -60)
    assert selection.selector == 1
    assert bytes.fromhex("ffc4") in selection.parameters
    assert range_selection(NOW, NOW + 900, -60) is selection


@pytest.mark.parametrize("span", [(0.0, 1e18), (float("nan"), 0.0), (-1e18, 0.0), (0.0, float("inf"))])
def test_a_range_outside_the_calendar_is_refused(span: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="is no range of times"):
        range_selection(*span)


def test_what_has_no_unit_of_its_own_is_read_as_it_stands():
    count = AttributeDescriptor(1, Obis.parse("0-0:96.7.21"), 2)
    plan = Plan(registers=(count,))
    asked, into = run(plan, clock_at(NOW), b"\x12\x00\x05")
    assert [item.attribute for item in asked[1:]] == [count]
    assert into.layout is not None
    assert into.layout.scalers[str(count.obis)] == (0, 255)
    assert [raw.octets for raw in into.registers] == [b"\x12\x00\x05"]
