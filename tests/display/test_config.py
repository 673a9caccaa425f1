"""Settings of a display."""

import tomllib

import pytest

from meterway.base.errors import ConfigError
from meterway.display.config import DisplayConfig, load_config, write_config


def written(tmp_path, text):
    path = tmp_path / "display.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_written_file_is_read_as_the_defaults(tmp_path):
    assert load_config(written(tmp_path, write_config())) == DisplayConfig()


def test_the_written_file_says_how_to_start():
    assert "meterway display FILE" in write_config()


def test_every_commented_setting_of_the_written_file_is_known(tmp_path):
    text = "\n".join(line.removeprefix("# ") if "= " in line else line for line in write_config().splitlines())
    config = load_config(written(tmp_path, text), {"H1_KEY": "00" * 16})
    assert config.key == bytes(16)
    assert "auth_key" in tomllib.loads(text)["meter"]


def test_a_display_may_have_no_page(tmp_path):
    assert load_config(written(tmp_path, "[page]\nenabled = false\nport = 80\n")).page_port is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[meter]\nport = 0\n", "meter.port 0"),
        ("[meter]\nport = '1'\n", "meter.port: Expected `int`, got `str`"),
        ("[meter]\nport = 1.5\n", "meter.port: Expected `int`, got `float`"),
        ("[meter]\nhost = ''\n", "meter.host: Expected `str` of length >= 1"),
        ("[meter]\nkey = 'xyz'\n", "meter.key: hex digits"),
        ("[meter]\nkey = 'env:NOT_THERE'\n", "meter.key: the environment has no NOT_THERE"),
        ("[meter]\nkey = '00'\n", "32 hexadecimal digits"),
        ("[meter]\nutc_offset_h = 99\n", "utc_offset_h 99"),
        ("[meter]\nretry_min_s = 90\n", "retry_min_s"),
        ("[meter]\nporr = 1\n", "meter: Object contains unknown field `porr`"),
        ("[page]\nenabled = 1\n", "page.enabled: Expected `bool`"),
        ("[page]\nport = 70000\n", "page.port 70000"),
        ("[extra]\n", "unknown field `extra`"),
        ("meter = 1\n", "meter: Expected `object`"),
        ("[meter\n", "display.toml"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path, text, complaint):
    with pytest.raises(ConfigError, match=r"display\.toml") as caught:
        load_config(written(tmp_path, text), {})
    assert complaint in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_config(tmp_path / "none.toml")
