"""What outlives the process: nothing is used twice, nothing acknowledged is forgotten."""

import pytest

from home_loads import EVENING, home_config, order
from meterway.base.errors import ConfigError, SecurityError
from meterway.home.device import LoadController
from meterway.home.memory import HomeMemory


def process(path, config, now):
    memory = HomeMemory(lambda: now, path)
    device = LoadController(config, now)
    memory.add(device)
    return memory, device


def test_a_restart_goes_on_where_it_was(tmp_path):
    path, config = tmp_path / "memory.json", home_config(consent=False, programme="")
    _, device = process(path, config, EVENING)
    device.agree(consent=True, now=EVENING)
    device.enrol("PEAK", EVENING)
    device.order(order(duration_s=3600), EVENING + 600)
    device.change_keys({"gbek": bytes(16)}, EVENING + 600)
    _, again = process(path, config, EVENING + 1200)
    again.advance(EVENING + 1201)
    assert (again.consent, again.programme, again.closed) == (True, "PEAK", [False, False])
    assert again.energy_ws == device.energy_ws and again.keys.gbek == bytes(16)
    assert "00000000000000000000000000000000" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    again.advance(EVENING + 600 + 3601)
    assert again.closed == [True, True]


def test_no_counter_is_used_twice(tmp_path):
    path, config = tmp_path / "memory.json", home_config()
    memory, device = process(path, config, EVENING)
    used = [memory.sending(device, 1).take() for _ in range(1500)]
    memory.receiving(device, 1).check(77)
    memory.receiving(device, 1).last = 77
    memory.save()
    memory, device = process(path, config, EVENING)
    assert memory.sending(device, 1).take() > max(used)
    assert memory.receiving(device, 1).last == 77
    with pytest.raises(SecurityError):
        memory.receiving(device, 1).check(77)


def test_without_a_file_counters_follow_the_time():
    memory, device = process(None, home_config(), EVENING)
    first = memory.sending(device, 1).take()
    memory, device = process(None, home_config(), EVENING + 60)
    assert memory.sending(device, 1).take() == first + 60


def test_other_keys_in_the_settings_begin_anew(tmp_path):
    path = tmp_path / "memory.json"
    _, device = process(path, home_config(consent=False, programme=""), EVENING)
    device.agree(consent=True, now=EVENING)
    _, again = process(path, home_config(consent=False, programme=""), EVENING)
    assert not again.consent


def test_a_file_that_is_none_is_named(tmp_path):
    path = tmp_path / "memory.json"
    path.write_text("[1, 2")
    with pytest.raises(ConfigError, match=r"memory\.json"):
        HomeMemory(lambda: EVENING, path)
    with pytest.raises(ConfigError, match="nowhere"):
        process(tmp_path / "nowhere" / "memory.json", home_config(), EVENING)
