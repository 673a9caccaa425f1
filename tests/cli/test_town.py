import json

import pytest

from command_line import meterway


@pytest.mark.covers("IF-I", "IF-H1", "UC-BI-01")
def test_a_configuration_comes_up_is_read_and_ends(tmp_path):
    done = meterway("town", "--configuration", "p1", "--meters", "2", "--once", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["configuration"], told["meters"], told["read"], told["failures"]) == ("P1", 2, 2, {})
    assert {row["label"]: row["entities"] for row in told["interfaces"]} == {"I": 2, "H1": 2}
    assert told["completeness"] > 0.9


def test_the_configurations_are_listed(tmp_path):
    told = json.loads(meterway("town", "--json", cwd=tmp_path).stdout)["configurations"]
    by_label = {row["configuration"]: row for row in told}
    assert by_label["P3"]["interfaces"] == ["M", "G1", "H2"]
    assert b"P10" in meterway("town", cwd=tmp_path).stdout


def test_a_configuration_that_is_none_is_wrong_usage(tmp_path):
    done = meterway("town", "--configuration", "P99", "--once", cwd=tmp_path)
    assert done.returncode == 2
    assert b"P99" in done.stderr
    assert meterway("town", "--configuration", "P1", "--meters", "9999", "--once", cwd=tmp_path).returncode == 2
