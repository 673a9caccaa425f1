"""What a gateway is attached to is read as it says, and a wrong setting is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.lnap.config import LnapConfig, load_config


def loaded(tmp_path: Path, text: str) -> LnapConfig:
    path = tmp_path / "lnap.toml"
    path.write_text(f"serial = 'a'\n{text}")
    return load_config(path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("receiver = 'im871a'", "one of port, serial, file and program is wanted; none is given"),
        ("receiver = 'im871a'\nport = 1\nserial = '/dev/x'", "not port and serial"),
        ("receiver = 'im871a'\nfile = 'x'", "file: the im871a is on a serial port"),
        ("receiver = 'amb8465'\nprogram = ['x']", "program: the amb8465 is on a serial port"),
        ("receiver = 'im871a'\nserial = 'x'\nmode = 'N1'", "mode: the iM871A knows no mode 'N1'"),
        ("serial = '/dev/x'", "serial: the simulated air is behind a port"),
        ("receiver = 'cup and string'\nport = 1", "radios\\[0\\].receiver"),
    ],
)
def test_a_wrong_radio_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as caught:
        loaded(tmp_path, f"[[radios]]\n{text}")
    assert "lnap.toml: radios[0]" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("baud = 2400", "one of port and serial is wanted; none is given"),
        ("port = 1\nserial = 'x'", "not both"),
        ("port = 1\nbaud = 1", "buses\\[0\\].baud"),
    ],
)
def test_a_wrong_bus_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        loaded(tmp_path, f"[[buses]]\n{text}")


def test_a_sample_of_each_attachment_is_read(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        "[[radios]]\nreceiver = 'lines'\nprogram = ['rtl_433', '-F', 'json']\n[[radios]]\nreceiver = 'im871a'\n"
        "serial = '/dev/ttyUSB0'\nmode = 'T2'\n[[buses]]\nserial = '/dev/ttyUSB1'\n",
    )
    assert [radio.receiver for radio in config.radios] == ["lines", "im871a"]
    assert config.buses[0].way == "/dev/ttyUSB1"
    assert config.buses[0].parity == "E"
