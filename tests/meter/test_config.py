"""Settings of virtual meters."""

from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.meter.config import load_config, sample
from meterway.meter.keys import Keys
from meterway.meter.load import LoadKind

SECRET = "00112233445566778899aabbccddeeff"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "meter.toml"
    path.write_text(text)
    return path


def test_the_sample_file_is_valid_and_its_keys_are_never_the_same_twice(tmp_path: Path) -> None:
    first = load_config(written(tmp_path, sample("A1")))
    again = load_config(written(tmp_path, sample("A1")))
    assert first.meters[0].serial == "A1"
    assert first.meters[0].keys.guek != again.meters[0].keys.guek


@pytest.mark.covers("SEC-02")
def test_a_meter_without_keys_and_without_a_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="secret"):
        load_config(written(tmp_path, '[[meter]]\nserial = "M1"\n'))


@pytest.mark.covers("SEC-02")
def test_derived_keys_differ_between_meters_and_purposes(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, f'secret = "{SECRET}"\n[[meter]]\nserial = "M0009"\ncount = 3\n'))
    assert [meter.serial for meter in config.meters] == ["M0009", "M0010", "M0011"]
    keys = [key for meter in config.meters for key in (meter.keys.guek, meter.keys.gak, meter.keys.kek)]
    assert len(set(keys)) == 9
    assert len({meter.title for meter in config.meters}) == 3


def test_secrets_come_from_the_environment(tmp_path: Path) -> None:
    path = written(tmp_path, 'secret = "env:METER_SECRET"\n[[meter]]\nserial = "M1"\nkind = "pv"\n')
    config = load_config(path, {"METER_SECRET": SECRET})
    assert config.meters[0].keys == Keys.derive(bytes.fromhex(SECRET), "M1")
    assert config.meters[0].kind is LoadKind.PV
    with pytest.raises(ConfigError, match=r"secret: the environment has no METER_SECRET"):
        load_config(path, {})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[meter]", "line 1"),
        ("", "missing required field `meter`"),
        ('[[meter]]\nserial = "M1"\nkind = "factory"', r"meter\[0\]\.kind: Invalid enum value 'factory'"),
        ('[[meter]]\nserial = "M 1"', "serial 'M 1'"),
        ('[[meter]]\nserial = "M1"\ncolour = "red"', r"meter\[0\]: Object contains unknown field `colour`"),
        ('[[meter]]\nserial = "M1"\ndisconnect_mode = 7', r"meter\[0\]\.disconnect_mode: Expected `int` <= 6"),
        ('[[meter]]\nserial = "M1"\n[[meter]]\nserial = "M1"', "M1 is there twice"),
        ('[[meter]]\nserial = "M1"\n[[listen]]\nport = "x"', r"listen\[0\]\.port: Expected `int`"),
        ('[[meter]]\nserial = "M1"\nguek = "00"', r"guek must have 16 octets"),
        ('[[meter]]\nserial = "M1"\nguek = "xx"', r"meter\[0\]\.guek: hex digits or env:NAME"),
        ('[[meter]]\nserial = "M1"\ninstalled = 1999-01-01', r"meter\[0\]: installed: a date from 2020"),
        ('[[meter]]\nserial = "M"\ncount = 2', r"meter\[0\]: serial: it must end in digits"),
        ('[[meter]]\nserial = "M1"\ncount = 2\nguek = "00"', r"meter\[0\]: count: keys of many meters"),
        ('[[meter]]\nserial = "M1"\n[push]\naddress = "h"', "push: Object missing required field `port`"),
    ],
)
def test_a_wrong_file_is_refused_with_file_and_field(tmp_path: Path, text: str, complaint: str) -> None:
    path = written(tmp_path, f'secret = "{SECRET}"\n{text}')
    with pytest.raises(ConfigError, match=complaint.replace("line 1", "line 2")) as caught:
        load_config(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: No such file"):
        load_config(tmp_path / "none.toml")


def test_meters_on_a_network_need_not_listen_and_have_join_keys_of_their_own(tmp_path: Path) -> None:
    text = f'secret = "{SECRET}"\n[network]\nport = 10200\nprofile = "g3"\n[[meter]]\nserial = "A1"\ncount = 2\n'
    host = load_config(written(tmp_path, text))
    assert host.network is not None
    assert (host.network.profile, host.network.port, host.network.node) == ("g3", 10200, 1)
    assert host.listen == ()
    keys = [meter.join_key for meter in host.meters]
    assert [len(key) for key in keys] == [16, 16]
    assert keys[0] != keys[1]
    both = load_config(written(tmp_path, text + "[[listen]]\nport = 0\n"))
    assert len(both.listen) == 1


def test_a_join_key_may_be_given(tmp_path: Path) -> None:
    text = f'secret = "{SECRET}"\n[[meter]]\nserial = "A1"\njoin_key = "{SECRET[::-1]}"\n'
    assert load_config(written(tmp_path, text)).meters[0].join_key.hex() == SECRET[::-1]
    with pytest.raises(ConfigError, match="join_key must have 16 octets"):
        load_config(written(tmp_path, text.replace(SECRET[::-1], "0011")))


def test_a_profile_that_is_none_is_refused_with_those_that_are(tmp_path: Path) -> None:
    text = f'secret = "{SECRET}"\n[network]\nport = 10200\nprofile = "pigeon"\n[[meter]]\nserial = "A1"\n'
    with pytest.raises(ConfigError, match="'pigeon' is no profile: prime"):
        load_config(written(tmp_path, text))
