"""Settings of what is heard: read as they say, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_town import RadioMeter, listed
from meterway.base.errors import ConfigError
from meterway.nnap.collector_config import CollectorConfig, check_meters
from meterway.nnap.config import NnapConfig, load_config

pytestmark = pytest.mark.covers("E-NNAP", "IF-C")

_METER = "[[battery_meters]]\naddress = 'MWY-10000001-01-03'\nchannel = 1\nkey = '000102030405060708090a0b0c0d0e0f'\n"


def _loaded(tmp_path: Path, text: str) -> NnapConfig:
    path = tmp_path / "nnap.toml"
    path.write_text(f"serial = 'NNAP1'\n{text}")
    return load_config(path)


def test_meters_and_receivers_are_what_makes_it_hear(tmp_path: Path) -> None:
    assert _loaded(tmp_path, "").hearing is None
    hearing = _loaded(tmp_path, "[[radios]]\nport = 4870\n").hearing
    assert hearing is not None
    assert hearing.store == str(tmp_path / "nnap-heard.sqlite")
    config = _loaded(tmp_path, f"[collector]\nstore = 'mast.sqlite'\nperiod_s = 900\n{_METER}")
    assert config.hearing is not None
    assert (config.hearing.store, config.hearing.period_s) == (str(tmp_path / "mast.sqlite"), 900)
    assert config.battery_meters[0].bound().address.ident == "10000001"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (_METER + _METER, "an address belongs to one only"),
        (_METER + _METER.replace("10000001", "10000002"), "a channel belongs to one only"),
        (_METER + "link = 'wired'\n", "by radio only"),
        ("[collector]\nperiod_s = 7000\n", "a period divides the day"),
        ("[collector]\nperiod_s = 7200\nzone = 'Europe/Berlin'\n", "falls on midnight"),
        ("[[radios]]\nreceiver = 'amb8465'\n", "one of port, serial, file and program"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        _loaded(tmp_path, text)


def test_a_list_of_different_radio_meters_is_in_order() -> None:
    check_meters([listed(RadioMeter(), 1), listed(RadioMeter(ident="10000002"), 2)])
    assert CollectorConfig().silent_after_s == 2 * 86400
