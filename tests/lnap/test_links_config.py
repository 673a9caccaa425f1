"""What a gateway is attached to is read as it says, and a wrong setting is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.links.receivers.amber import AmberCodec
from meterway.links.receivers.imst import ImstCodec
from meterway.links.receivers.lines import LineCodec
from meterway.links.receivers.radiocrafts import RadiocraftsCodec
from meterway.lnap.config import LnapConfig, load_config
from meterway.lnap.links_config import RadioConfig


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


def test_each_receiver_has_its_codec_its_speed_and_its_way() -> None:
    found = {
        name: RadioConfig(receiver=name, serial="/dev/x", mode="S2" if name != "rc1180" else "S1")  # type: ignore[arg-type]
        for name in ("im871a", "amb8465", "rc1180", "lines")
    }
    kinds = [type(radio.codec()) for radio in found.values()]
    assert kinds == [ImstCodec, AmberCodec, RadiocraftsCodec, LineCodec]
    assert [radio.speed for radio in found.values()] == [57600, 9600, 19200, 115200]
    assert found["im871a"].way == "/dev/x"
    assert RadioConfig(receiver="lines", program=("rtl_433", "-F", "json")).way == "rtl_433"
    assert RadioConfig(port=5).way == "127.0.0.1:5"


def test_a_sample_of_each_attachment_is_read(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        "[[radios]]\nreceiver = 'lines'\nprogram = ['rtl_433', '-F', 'json']\n[[radios]]\nreceiver = 'im871a'\n"
        "serial = '/dev/ttyUSB0'\nmode = 'T2'\n[[buses]]\nserial = '/dev/ttyUSB1'\n",
    )
    assert [radio.receiver for radio in config.radios] == ["lines", "im871a"]
    assert config.buses[0].way == "/dev/ttyUSB1"
    assert config.buses[0].parity == "E"
