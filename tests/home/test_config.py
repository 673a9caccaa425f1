"""Settings of load controllers: the sample loads, and what is wrong is named."""

from dataclasses import replace

import pytest

from home_loads import home_config
from meterway.base.errors import ConfigError
from meterway.home.config import HomeKeys, LoadKind, NetworkConfig, RelayConfig, load_config, sample


def written(tmp_path, text):
    path = tmp_path / "home.toml"
    path.write_text(text)
    return path


def test_the_sample_loads_and_its_keys_are_drawn(tmp_path):
    found = load_config(written(tmp_path, sample("H7")))
    device = found.devices[0]
    assert (device.serial, [one.kind for one in device.relays]) == ("H7", [LoadKind.WATER_HEATER, LoadKind.EV_CHARGER])
    assert found.memory == tmp_path / "home-memory.json"
    assert found.listen.port == 4070 and not device.consent
    keys = [device.keys.guek, device.keys.gak, device.keys.kek, device.keys.consumer_guek, device.keys.consumer_gak]
    assert len({*keys, device.join_key}) == 6
    assert sample() != sample()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('kind = "water heater"', 'kind = "toaster"', "toaster"),
        ('serial = "H7"', 'serial = "no blanks"', "serial"),
        ("rated_w = 2000", "rated_w = 0", "rated_w"),
        ("[listen]\naddress", "[elsewhere]\naddress", "elsewhere"),
        ("port = 4070", "port = 70000", "port"),
        ('guek = "', 'guek = "xx', "device 1.guek"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, why):
    text = sample("H7")
    assert old in text
    with pytest.raises(ConfigError, match=why):
        load_config(written(tmp_path, text.replace(old, new, 1)))


def test_nobody_can_reach_it_without_a_port_or_a_network(tmp_path):
    text = sample("H7").split("# The local port")[0]
    with pytest.raises(ConfigError, match="nobody reaches"):
        load_config(written(tmp_path, text))


def test_a_serial_comes_once(tmp_path):
    text = sample("H7")
    table = text[text.index("[[device]]") : text.index("# Relays 1")]
    with pytest.raises(ConfigError, match="twice"):
        load_config(written(tmp_path, text.replace("# The local port", table + "# The local port")))


def test_the_consumers_key_is_not_the_operators():
    keys = HomeKeys.random()
    with pytest.raises(ConfigError, match="operator"):
        replace(keys, consumer_guek=keys.guek)
    with pytest.raises(ConfigError, match="16 octets"):
        replace(keys, kek=b"short")
    assert keys.guek.hex() not in repr(keys)


def test_a_device_has_a_title_of_eight_octets_and_one_to_eight_relays():
    assert len(home_config().title) == 8 and home_config("A").title != home_config("B").title
    with pytest.raises(ConfigError, match="8 relays"):
        home_config(relays=(RelayConfig(),) * 9)
    with pytest.raises(ConfigError, match="8 octets"):
        home_config(system_title=b"x")
    with pytest.raises(ValueError, match="no profile"):
        NetworkConfig(port=1, profile="tin can")
