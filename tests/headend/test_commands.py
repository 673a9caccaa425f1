"""Commands as scripts, answered by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from headend.headends import NOW, moment, play
from meterway.base.errors import ConfigError, MeterwayError
from meterway.base.obis import Obis
from meterway.headend.commands import Answered, Command, act, list_objects, read, write
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client.script import Act, Get, Set
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

ENERGY = Obis(1, 0, 1, 8, 0)
CLOCK = Obis(0, 0, 1, 0, 0)
LOAD = Obis(1, 0, 99, 1, 0)
SWITCH = Obis(0, 0, 96, 3, 10)
CLASSES = {ENERGY: 3, CLOCK: 8, LOAD: 7, SWITCH: 70}
SCALER = axdr.encode(axdr.structure(axdr.i8(-2), axdr.enum(30)))
DENIED = DataAccessResult.READ_WRITE_DENIED


def objects(*found: tuple[int, Obis]) -> bytes:
    rights = axdr.structure(axdr.array(), axdr.array())
    return axdr.encode(
        axdr.array(
            *[
                axdr.structure(axdr.u16(class_id), axdr.u8(0), axdr.octets(obis.encode()), rights)
                for class_id, obis in found
            ]
        )
    )


@pytest.mark.covers("UC-BI-02")
def test_a_register_is_read_with_its_scaler_and_unit() -> None:
    _, answered = play(read(Command(obis=ENERGY), CLASSES.get), axdr.encode(axdr.u32(12345)), SCALER)
    told = answered.as_json()
    assert (told["ok"], told["value"], told["unit"], told["name"]) == (True, 123.45, "Wh", "active-energy-import")
    assert isinstance(answered, Answered)
    assert Decimal(str(answered.value)) == Decimal("123.45")


def test_a_refusal_is_a_value_with_the_norms_word() -> None:
    _, answered = play(read(Command(obis=ENERGY), CLASSES.get), DENIED)
    assert (answered.refusal, answered.as_json()["ok"]) == ("read-write-denied", False)
    _, answered = play(write(Command(obis=ENERGY, value=3), CLASSES.get), DENIED)
    assert answered.refusal == "read-write-denied"
    refused = ActionOutcome(ActionResult.TEMPORARY_FAILURE, None)
    _, answered = play(act(Command(obis=SWITCH, method="remote_disconnect"), CLASSES.get), refused)
    assert answered.refusal == "temporary-failure"


def test_a_class_that_nobody_told_is_asked_of_the_device() -> None:
    other = Obis(1, 1, 1, 8, 0)
    command = Command(obis=other)
    asked, answered = play(read(command, lambda _: None), objects((3, other)), axdr.encode(axdr.u8(1)), DENIED)
    assert asked[0].attribute.class_id == 15
    assert (answered.value, answered.unit, answered.class_id) == (1, "", 3)
    with pytest.raises(ConfigError, match="the device has no object"):
        play(read(command, lambda _: None), objects((3, ENERGY)))
    with pytest.raises(ConfigError, match="the device has no object"):
        play(read(command, lambda _: None), DENIED)


def test_the_objects_a_device_shows_are_listed() -> None:
    _, found = play(list_objects(), objects((3, ENERGY), (8, CLOCK)))
    assert [(item.class_id, item.obis) for item in found] == [(3, ENERGY), (8, CLOCK)]


@pytest.mark.covers("UC-BI-02")
def test_a_profile_is_read_as_a_table_with_named_columns() -> None:
    captured = axdr.encode(
        axdr.array(
            axdr.structure(axdr.u16(8), axdr.octets(CLOCK.encode()), axdr.i8(2), axdr.u16(0)),
            axdr.structure(axdr.u16(3), axdr.octets(ENERGY.encode()), axdr.i8(2), axdr.u16(0)),
        )
    )
    row = axdr.encode(axdr.array(axdr.structure(moment(NOW), axdr.u32(500)), axdr.structure(axdr.u8(1))))
    script = read(Command(obis=LOAD, from_s=NOW), CLASSES.get)
    asked, answered = play(script, captured, axdr.encode(axdr.u32(900)), axdr.encode(moment(NOW)), row, SCALER)
    assert asked[3].selection is not None
    table = answered.value
    assert table["period_s"] == 900
    assert [column["name"] for column in table["columns"]] == ["clock", "active-energy-import"]
    assert table["rows"] == [["2026-03-08T20:00:00Z", 5], [1]]


@pytest.mark.covers("UC-IN-02", "UC-IN-03")
def test_a_clock_is_set_to_now_in_its_own_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)
    local = axdr.encode(axdr.octets(bytes.fromhex("07ea030b030c0f1e00ffc480")))
    asked, _ = play(write(Command(obis=CLOCK, value="now"), CLASSES.get), local, DataAccessResult.SUCCESS)
    assert isinstance(asked[1], Set)
    assert asked[1].value.hex() == "090c" + "07ea0308071500000" + "0ffc480"


def test_a_method_is_called_with_the_norms_usual_parameter() -> None:
    done = ActionOutcome(ActionResult.SUCCESS, axdr.encode(axdr.u8(7)))
    asked, answered = play(act(Command(obis=SWITCH, method="remote_disconnect"), CLASSES.get), done)
    assert isinstance(asked[0], Act)
    assert asked[0].parameters == b"\x0f\x00"
    assert answered.value == 7


@pytest.mark.parametrize(
    "command",
    [
        Command(obis=ENERGY, attribute="colour"),
        Command(obis=ENERGY, attribute=99),
        Command(obis=ENERGY, class_id=60_000),
    ],
)
def test_what_a_class_does_not_have_is_said(command: Command) -> None:
    with pytest.raises(MeterwayError):
        play(read(command, CLASSES.get))


def test_octets_that_form_no_value_are_an_error_of_ours() -> None:
    for octets in (b"", b"\x63", b"\x09\x05a"):
        with pytest.raises(MeterwayError):
            play(read(Command(obis=ENERGY), CLASSES.get), octets)
    assert isinstance(next(read(Command(obis=ENERGY), CLASSES.get)), Get)
