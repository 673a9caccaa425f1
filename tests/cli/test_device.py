import pytest

from command_line import meterway
from meterway.base.errors import ConfigError
from meterway.cli.device import _number_or_name, _value, moment


def test_a_value_is_json_or_the_text_itself():
    assert _value("5") == 5
    assert _value('{"scaler": -1}') == {"scaler": -1}
    assert _value("now") == "now"


def test_an_attribute_is_a_number_or_a_name():
    assert _number_or_name("2") == 2
    assert _number_or_name("control_state") == "control_state"


def test_a_time_without_a_zone_is_utc():
    assert moment("2026-11-01T12:15", "--from") == moment("2026-11-01T13:15+01:00", "--from")
    assert moment(None, "--from") is None
    with pytest.raises(ConfigError, match="--to: 'soon'"):
        moment("soon", "--to")


def test_without_a_head_end_the_command_says_how_to_name_one(tmp_path):
    done = meterway("read", "M0001", "1.8.0", cwd=tmp_path)
    assert done.returncode == 2
    assert b"--config" in done.stderr
