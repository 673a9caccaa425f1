"""The sample is a configuration, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_town import settings
from meterway.base.errors import ConfigError
from meterway.lnap.config import PartyConfig, load_config
from meterway.lnap.sample import SAMPLE
from meterway.stacks.dlms.tabled import Right


def test_the_sample_is_read_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lnap.toml"
    path.write_text(SAMPLE)
    config = load_config(path)
    assert config.wan is not None
    assert config.home is config.local is None
    (operator,) = config.parties
    with pytest.raises(ConfigError, match="operator, secret"):
        _ = operator.octets
    monkeypatch.setenv("LNAP_OPERATOR", "00" * 16)
    assert operator.octets == bytes(16)
    party = operator.party(())
    assert party.may(Right.CONFIGURE, 0)
    assert party.channels is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("serial = ''", "serial"),
        ("colour = 'red'", "colour"),
        ("serial = 'a'\nperiod_s = 7000", "divides the day"),
        ("serial = 'a'\n[[tariffs]]\ncase = 'TAF7'\nparty = 'x'\nchannel = 1", "x is no party"),
        ("serial = 'a'\n[mqtt]\nhost = 'far.example'\ntls = false", "without TLS"),
        ("serial = ", "Invalid value"),
        ("serial = 'a'\nzone = 'Europe/Berlin'\nperiod_s = 86400", "no reading of 86400 s falls on midnight"),
        ("serial = 'a'\nzone = 'Asia/Kathmandu'\nperiod_s = 3600", "falls on midnight in Asia/Kathmandu"),
        (
            "serial = 'a'\nparties = [{ name = 'x', client = 2, secret = '00' }]\n"
            "tariffs = [{ case = 'TAF7', party = 'x', channel = 1, period_s = 900 }]",
            "TAF7 is a multiple of period_s",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "lnap.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        load_config(path)


def test_two_parties_of_one_side_do_not_share_a_client(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="belong to one party"):
        settings(tmp_path, parties=(PartyConfig(name="other", client=1, secret="00" * 16),))


def test_a_missing_file_and_a_wrong_zone_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="Mars/Olympus"):
        _ = settings(tmp_path, zone="Mars/Olympus").zone_info
