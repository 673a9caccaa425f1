"""Companion profiles load, serve meter and head end, and say plainly what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.mapping.obis import describe
from meterway.mapping.profile import load_profile, profile_called, profile_names
from meterway.stacks.dlms.axdr import CosemDateTime, encode
from meterway.stacks.dlms.classes import ScalerUnit, interface_class, untyped

LOAD_PROFILE = Obis(1, 0, 99, 1, 0)
CLOCK = Obis(0, 0, 1, 0, 0)


def written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return str(path)


BEHIND_A_GATEWAY = ("mbus-electricity", "mbus-gas", "mbus-heat", "mbus-heat-cost", "mbus-meter", "mbus-water")


def test_there_are_a_generic_and_a_dutch_profile_and_those_of_gateways():
    assert profile_names() == ("home", "idis", "idis-parity", "lnap", *BEHIND_A_GATEWAY, "nnap", "smr5")


@pytest.mark.parametrize("name", profile_names())
def test_every_object_of_a_profile_has_a_name_and_every_value_can_be_sent(name):
    profile = load_profile(name)
    assert profile.name == name
    for obis, entry in profile.objects.items():
        assert entry.obis == obis
        assert describe(obis).known, obis
        assert interface_class(entry.class_id, entry.version).complete
        for attribute, value in entry.static.items():
            assert encode(untyped(entry.class_id, attribute, value, entry.version))


@pytest.mark.parametrize("name", ["idis", "idis-parity", "smr5"])
def test_every_column_log_and_listed_object_is_there(name):
    profile = load_profile(name)
    for entry in profile.collected("profile") + profile.collected("log"):
        assert entry.capture_objects[0].obis == CLOCK
        assert all(profile.object(column.obis).class_id == column.class_id for column in entry.capture_objects)
    logs = {log for log, _ in profile.events}
    assert {entry.log for entry in profile.collected("log")} <= logs
    for association in profile.associations:
        assert (association.objects or frozenset()) <= profile.objects.keys(), association.name


@pytest.mark.covers("F1a", "F1b")
def test_the_load_profile_of_the_generic_meter_has_six_columns_every_quarter():
    entry = load_profile("idis").object(LOAD_PROFILE)
    assert [describe(column.obis).name for column in entry.capture_objects] == [
        "clock",
        "load-profile-status",
        "active-energy-import",
        "active-energy-export",
        "reactive-energy-import",
        "reactive-energy-export",
    ]
    assert entry.static[4] == 900


def test_the_dutch_meter_changes_what_it_extends():
    profile = load_profile("smr5")
    assert [association.client for association in profile.associations] == [16, 1, 5, 102]
    assert len(profile.object(LOAD_PROFILE).capture_objects) == 4
    gas = profile.object(Obis(0, 1, 24, 3, 0)).capture_objects
    assert (gas[3].obis, gas[3].attribute) == (Obis(0, 1, 24, 2, 1), 5)
    with pytest.raises(ConfigError, match=r"profile smr5 has no object 1-0:1\.8\.3\*255"):
        profile.object(Obis(1, 0, 1, 8, 3))


def test_static_values_are_typed():
    profile = load_profile("idis")
    assert profile.object(Obis(1, 0, 32, 7, 0)).static[3] == ScalerUnit(scaler=-1, unit=35)
    begin = profile.object(CLOCK).static[5]
    assert begin == CosemDateTime(month=3, day=0xFE, weekday=7, hour=2, minute=0, second=0, hundredths=0)


def test_a_profile_is_read_once():
    assert load_profile("idis") is load_profile("idis")


def test_a_file_of_a_user_extends_a_profile_and_is_read_again_when_it_changes(tmp_path):
    path = written(tmp_path, 'extends = "idis"\ntitle = "Mine"\n[[objects]]\ncodes = ["1.8.5"]\nclass = 3\n')
    first = load_profile(path)
    assert (first.name, first.title) == ("mine", "Mine")
    assert Obis(1, 0, 1, 8, 5) in first.objects
    (tmp_path / "codes.csv").write_text("log,code,name,title,severity\nmine,7,odd,Odd,info\n", "utf-8")
    Path(path).write_text('title = "Changed"\nevents = "codes.csv"\n', "utf-8")
    second = load_profile(path)
    assert second.title == "Changed"
    assert second.event("mine", 7).title == "Odd"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title = ", r"mine\.toml: Invalid value"),
        ("title = 5", r"mine\.toml, title: must be a text, not 5"),
        ("colour = 1", r"mine\.toml, colour: no such field"),
        ('extends = "mars"', "there is no profile 'mars'; there are home, idis, idis-parity, lnap, .*smr5"),
        ('extends = "mine.toml"', "extends: more than 4 files extend one another"),
        ('events = "none.csv"', r"none\.csv: No such file"),
        ('objects = ["a"]', r"objects: must be a list of tables, written \[\[objects\]\]"),
        ("[[objects]]\nclass = 3", "objects 1, codes: is missing"),
        ('[[objects]]\ncodes = ["sun"]\nclass = 3', "objects 1, codes: 'sun' is neither an OBIS code nor"),
        ('[[objects]]\ncodes = ["clock"]', "objects 1, class: is missing"),
        ('[[objects]]\ncodes = ["clock"]\nclass = 9999', "objects 1, class: interface class 9999 is not known"),
        ('[[objects]]\ncodes = ["clock"]\nclass = true', "objects 1, class: must be a whole number, not True"),
        ('[[objects]]\ncodes = ["clock"]\nclass = 70000', "objects 1, class: 70000 is not 0 to 65535"),
        ('[[objects]]\ncodes = ["clock"]\nclass = 8\nset = ["tide"]', "objects 1, set: Clock .* no attribute 'tide'"),
        ('[[objects]]\ncodes = ["clock"]\nclass = 8\nact = ["stop"]', "objects 1, act: Clock .* no method 'stop'"),
        ('[[objects]]\ncodes = ["clock"]\nclass = 8\ncollect = "all"', "collect: 'all' is not one of identity, clock"),
        (
            '[[objects]]\ncodes = ["clock"]\nclass = 8\nstatic = { time_zone = "CET" }',
            r"objects 1, static\.time_zone: 'CET' is not of type long",
        ),
        (
            '[[objects]]\ncodes = ["load-profile"]\nclass = 7\nversion = 1\nstatic = { capture_objects = ["clock"] }',
            r"static\.capture_objects: the profile has no object clock to capture",
        ),
        ("[[associations]]\nname = 'x'", "associations 1, client: is missing"),
        ("[[associations]]\nname = 'x'\nclient = 1\nauthentication = 'rsa'", "'rsa' is not one of none, lls, hls3"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_field(tmp_path, text, complaint):
    with pytest.raises(ConfigError, match=complaint) as refusal:
        load_profile(written(tmp_path, text))
    assert ".toml" in str(refusal.value) or ".csv" in str(refusal.value)


@pytest.mark.parametrize("row", ["mine,x,odd,Odd,info", "mine,1,odd,Odd,loud", "mine,1,odd", ""])
def test_a_wrong_line_of_event_codes_is_named(tmp_path, row):
    (tmp_path / "codes.csv").write_text(f"log,code,name,title,severity\n\nmine,1,odd,Odd,info\n{row}\n", "utf-8")
    path = written(tmp_path, 'events = "codes.csv"')
    if not row:
        assert len(load_profile(path).events) == 1
        return
    with pytest.raises(ConfigError, match=r"codes\.csv, line 4"):
        load_profile(path)


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match=r"nowhere\.toml: No such file"):
        load_profile("nowhere.toml")
    with pytest.raises(ConfigError, match="there is no profile 'mars'"):
        load_profile("mars")


@pytest.mark.covers("E-HAED")
def test_the_name_of_a_device_says_which_profile_it_is_of():
    known = profile_called(b"MWYH-H0001")
    assert known is not None
    assert (known.name, known.role) == ("home", "home")
    assert profile_called(b"MWYM0001") is None
    assert profile_called(b"\xff\x00") is None
    assert {load_profile(name).role for name in profile_names() if name != "home"} == {"meter"}


def test_a_profile_that_extends_another_has_names_of_its_own_and_its_role(tmp_path):
    path = written(tmp_path, 'extends = "home"\nnames = ["XYZ*"]')
    known = load_profile(path)
    assert (known.names, known.role) == (("XYZ*",), "home")
    with pytest.raises(ConfigError, match="role"):
        load_profile(written(tmp_path, 'role = "ship"'))
