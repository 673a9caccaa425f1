"""M-Bus meters alone, and the whole way: radio, meter, gateway and head end as processes of their own."""

import json
import re
import time

import pytest

from command_line import meterway, running
from meterway.cli.utility import UTILITIES, speaks_mbus


@pytest.mark.parametrize("utility", UTILITIES)
def test_a_meter_of_every_utility_can_be_written(tmp_path, utility):
    done = meterway("meter", "--write-config", "meter.toml", "--utility", utility, cwd=tmp_path)
    assert done.returncode == 0
    assert speaks_mbus(tmp_path / "meter.toml") == (utility != "electricity")


def test_each_kind_of_file_has_its_own_way_to_be_listed(tmp_path):
    for utility, option in (("gas", "--csv"), ("electricity", "--white-list")):
        (tmp_path / "meter.toml").unlink(missing_ok=True)
        meterway("meter", "--write-config", "meter.toml", "--utility", utility, cwd=tmp_path)
        done = meterway("meter", "meter.toml", option, cwd=tmp_path)
        assert done.returncode == 2
        assert option.encode() in done.stderr


def test_meters_on_no_medium_are_told_so(tmp_path):
    (tmp_path / "meter.toml").write_text(f'[[meters]]\nident = "10000001"\nutility = "gas"\nkey = "{"0f" * 16}"\n')
    done = meterway("meter", "meter.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert b"neither on the air nor on a bus" in done.stderr


def test_meters_whose_air_is_not_there_say_where_it_should_be(tmp_path):
    text = f'[air]\nport = 1\n[[meters]]\nident = "10000001"\nutility = "gas"\nkey = "{"0f" * 16}"\n'
    (tmp_path / "meter.toml").write_text(text)
    done = meterway("meter", "meter.toml", cwd=tmp_path)
    assert done.returncode == 1
    assert b"127.0.0.1:1" in done.stderr


@pytest.mark.covers("IF-M", "IF-G1", "E-LNAP", "UC-BI-02", "F1a", "P3")
def test_a_gas_meter_is_read_through_its_gateway_with_every_entity_alone(tmp_path):
    with running("radio", "--port", "0", "--json", cwd=tmp_path, until="listening") as told:
        port = json.loads(told)["port"]
        meterway("meter", "--write-config", "gas.toml", "--utility", "gas", cwd=tmp_path)
        text = (tmp_path / "gas.toml").read_text().replace("port = 10100", f"port = {port}")
        (tmp_path / "gas.toml").write_text(text.replace("# interval_s = 900.0", "interval_s = 1.0"))
        listed = meterway("meter", "gas.toml", "--white-list", cwd=tmp_path).stdout.decode()
        (tmp_path / "lnap.toml").write_text(
            f'serial = "LNAP1"\n[wan]\nport = 0\n[[parties]]\nname = "operator"\nclient = 1\nsecret = "{"5a" * 16}"\n'
            f'channels = "all"\nrights = ["read"]\nsees_gateway = true\n[[radios]]\nport = {port}\n{listed}'
        )
        with (
            running("meter", "gas.toml", "--json", cwd=tmp_path, until="on the air"),
            running("lnap", "lnap.toml", "--json", cwd=tmp_path, until="listening") as gateway,
        ):
            rows = meterway("lnap", "lnap.toml", "--csv", "operator", cwd=tmp_path).stdout.decode()
            rows = re.sub(r",127\.0\.0\.1,\d+,", f",127.0.0.1,{json.loads(gateway.splitlines()[-1])['port']},", rows)
            (tmp_path / "rows.csv").write_text(rows)
            meterway("headend", "--write-config", "headend.toml", cwd=tmp_path)
            assert meterway("import", "rows.csv", cwd=tmp_path).returncode == 0
            answer = {"ok": False}
            deadline = time.monotonic() + 30
            while not answer["ok"] and time.monotonic() < deadline:
                done = meterway("read", "MWY-10000001-01-03", "7-0:3.0.0", "--json", cwd=tmp_path)
                answer = json.loads(done.stdout)
            assert answer["ok"], answer
            assert answer["unit"] == "m³"
            assert answer["value"] > 0


@pytest.mark.covers("IF-C", "IF-G2", "E-NNAP", "UC-BI-02", "P7")
def test_a_gas_meter_in_mode_n_is_heard_by_a_concentrator_with_every_entity_alone(tmp_path):
    with running("radio", "--port", "0", "--json", cwd=tmp_path, until="listening") as told:
        port = json.loads(told)["port"]
        meterway("meter", "--write-config", "gas.toml", "--utility", "gas", cwd=tmp_path)
        text = (tmp_path / "gas.toml").read_text().replace("port = 10100", f"port = {port}")
        text = text.replace('# radio = "T1"', 'radio = "N1a"').replace("# interval_s = 900.0", "interval_s = 2.0")
        (tmp_path / "gas.toml").write_text(text)
        listed = meterway("meter", "gas.toml", "--white-list", cwd=tmp_path).stdout.decode()
        (tmp_path / "nnap.toml").write_text(
            f'serial = "NNAP1"\n[wan]\nport = 0\n[[parties]]\nname = "operator"\nclient = 1\nsecret = "{"5a" * 16}"\n'
            f'[[radios]]\nport = {port}\nhears = ["N1a"]\n{listed.replace("[[meters]]", "[[battery_meters]]")}'
        )
        meterway("headend", "--write-config", "headend.toml", cwd=tmp_path)
        settings = (tmp_path / "headend.toml").read_text()
        (tmp_path / "headend.toml").write_text(re.sub(r"(?m)^#? ?port = (8480|4061)$", "port = 0", settings))
        with (
            running("meter", "gas.toml", "--json", cwd=tmp_path, until="on the air"),
            running("nnap", "nnap.toml", "--json", cwd=tmp_path, until="listening") as concentrator,
        ):
            facts = json.loads(concentrator.splitlines()[-1])
            assert facts["battery_meters"] == 1
            rows = meterway("nnap", "nnap.toml", "--csv", "operator", cwd=tmp_path).stdout.decode()
            rows = re.sub(r",127\.0\.0\.1,\d+,", f",127.0.0.1,{facts['port']},", rows)
            (tmp_path / "rows.csv").write_text(rows)
            assert meterway("import", "rows.csv", "--config", "headend.toml", cwd=tmp_path).returncode == 0
            with running("headend", "headend.toml", "--json", cwd=tmp_path, until="pages"):
                answer = {"ok": False}
                deadline = time.monotonic() + 40
                while not answer.get("ok") and time.monotonic() < deadline:
                    asked = ("read", "MWY-10000001-01-03", "7-0:3.1.0", "--config", "headend.toml", "--json")
                    done = meterway(*asked, cwd=tmp_path)
                    answer = json.loads(done.stdout or b"{}")
                assert answer["ok"], answer
                assert answer["unit"] == "m³"
                assert answer["age_s"] is not None
                assert answer["age_s"] < 60
