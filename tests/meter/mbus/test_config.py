"""Settings are checked where they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.meter.mbus.config import DlmsKeys, HostConfig, MeterConfig, load_config, sample
from meterway.meter.mbus.usage import Utility


def written(path: Path, text: str) -> HostConfig:
    file = path / "meters.toml"
    file.write_text(text)
    return load_config(file)


@pytest.mark.parametrize("utility", list(Utility))
def test_a_sample_is_read_and_has_a_key_of_its_own(tmp_path: Path, utility: Utility) -> None:
    config = written(tmp_path, sample(utility))
    (meter,) = config.meters
    assert (meter.utility, meter.valve) == (utility, utility is Utility.GAS)
    assert config.air is not None
    assert config.state == str(tmp_path / "10000001.state")
    assert meter.secret != written(tmp_path, sample(utility)).meters[0].secret


def test_a_key_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (meter,) = written(tmp_path, '[[meters]]\nident = "10000001"\nutility = "gas"\nkey = "env:GAS_KEY"').meters
    monkeypatch.delenv("GAS_KEY", raising=False)
    with pytest.raises(ConfigError, match="10000001: key"):
        assert meter.secret
    monkeypatch.setenv("GAS_KEY", "0f" * 16)
    assert meter.secret == b"\x0f" * 16


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[meters]]\nident = "1"\nutility = "gas"', "ident"),
        ('[[meters]]\nident = "10000001"\nutility = "beer"', "utility"),
        ('[[meters]]\nident = "10000001"\nutility = "water"\nvalve = true', "valve"),
        ('[[meters]]\nident = "10000001"\nutility = "gas"\nframe_format = "B"', "format A only"),
        ('[[meters]]\nident = "10000001"\nutility = "gas"\ncolour = "red"', "colour"),
        ("meters = [", "meters.toml"),
        (2 * '[[meters]]\nident = "10000001"\nutility = "gas"\n', "twice"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        written(tmp_path, text)


def test_a_missing_or_unreadable_file_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        load_config(tmp_path / "nowhere.toml")
    (tmp_path / "odd.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(tmp_path / "odd.toml")


@pytest.mark.covers("SEC-02")
def test_there_is_no_default_key_but_plain_meters_need_none() -> None:
    with pytest.raises(ConfigError, match="key"):
        assert MeterConfig(ident="10000001", utility=Utility.WATER).secret
    assert MeterConfig(ident="10000001", utility=Utility.WATER, security=0).secret == bytes(16)


@pytest.mark.covers("SEC-02")
def test_dlms_keys_are_two_and_whole() -> None:
    keys = DlmsKeys(encryption="01" * 16, authentication="02" * 16)
    assert keys.secrets == (b"\x01" * 16, b"\x02" * 16)
    with pytest.raises(ConfigError, match=r"dlms\.authentication"):
        assert DlmsKeys(encryption="01" * 16, authentication="").secrets


def test_mode_s1_is_one_way_and_intervals_come_with_the_mode() -> None:
    meter = MeterConfig(ident="10000001", utility=Utility.WATER, radio="S1")
    assert not meter.two_way
    assert meter.nominal_s == 1800
    assert MeterConfig(ident="10000001", utility=Utility.WATER, interval_s=60.0).nominal_s == 60
