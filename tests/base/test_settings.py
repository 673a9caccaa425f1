"""Settings from TOML."""

from pathlib import Path

import msgspec
import pytest

from meterway.base.errors import ConfigError
from meterway.base.settings import key_octets, parse_settings, read_settings, secret_octets, secret_text


class Page(msgspec.Struct, forbid_unknown_fields=True):
    port: int = 80


class Site(msgspec.Struct, forbid_unknown_fields=True):
    pages: list[Page] = []


def test_text_becomes_structs() -> None:
    assert parse_settings(b"[[pages]]\nport = 1\n[[pages]]\n", Site, file="x") == Site([Page(1), Page()])


@pytest.mark.parametrize(
    ("octets", "complaint"),
    [
        (b"[[pages]]\n[[pages]]\nport = 'a'", "site.toml: pages[1].port: Expected `int`, got `str`"),
        (b"[[pages]]\ncolour = 1", "site.toml: pages[0]: Object contains unknown field `colour`"),
        (b"x = 1", "site.toml: Object contains unknown field `x`"),
        (b"pages = ]", "site.toml: Invalid value (at line 1, column 9)"),
        (b"\xff", "site.toml: not UTF-8 at octet 0"),
    ],
)
def test_a_complaint_names_file_and_field(octets: bytes, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings(octets, Site, file="site.toml")
    assert str(caught.value) == complaint


@pytest.mark.covers("SEC-02")
def test_a_secret_is_given_or_comes_from_the_environment_and_is_never_told() -> None:
    environ = {"KEY": "00ff", "WORD": "hex it is not"}
    assert secret_octets("0102", field="key", environ=environ) == b"\x01\x02"
    assert secret_octets("env:KEY", field="key", environ=environ) == b"\x00\xff"
    assert secret_text("env:WORD", field="word", environ=environ) == "hex it is not"
    with pytest.raises(ConfigError, match="key: the environment has no NONE"):
        secret_octets("env:NONE", field="key", environ=environ)
    with pytest.raises(ConfigError) as caught:
        secret_octets("env:WORD", field="key", environ=environ)
    assert "hex it is not" not in str(caught.value)


def test_a_file_is_read_as_its_text_and_named_when_it_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("[page]\nport = 1\n")
    assert read_settings(tmp_path / "x.toml", dict) == {"page": {"port": 1}}
    with pytest.raises(ConfigError, match=r"none\.toml"):
        read_settings(tmp_path / "none.toml", dict)


def test_a_key_has_its_size_and_comes_as_hex_or_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "00" * 20)
    assert key_octets("01" * 16, field="key") == b"\x01" * 16
    assert key_octets("env:KEY", field="key", most=64) == bytes(20)
    for given in ("env:KEY", "xx", ""):
        with pytest.raises(ConfigError, match="key: 16 octets as hex"):
            key_octets(given, field="key")
    with pytest.raises(ConfigError, match="key: the environment has no NOBODY"):
        key_octets("env:NOBODY", field="key")
