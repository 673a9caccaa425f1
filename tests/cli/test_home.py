"""Load controllers as processes: alone on their local port, and behind a concentrator with every entity by itself."""

import json
import re
import time

import pytest

from command_line import meterway, running


def test_a_settings_file_is_written_once_and_listed(tmp_path):
    assert meterway("home", "--write-config", "home.toml", "--serial", "H9", cwd=tmp_path).returncode == 0
    assert (tmp_path / "home.toml").stat().st_mode & 0o077 == 0
    assert meterway("home", "--write-config", "home.toml", cwd=tmp_path).returncode == 2
    listed = meterway("home", "home.toml", "--white-list", cwd=tmp_path).stdout.decode()
    assert 'role = "home"' in listed and 'serial = "H9"' in listed and "guek" not in listed
    rows = meterway("home", "home.toml", "--csv", cwd=tmp_path).stdout.decode().splitlines()
    assert rows[1].split(",")[:1] == ["H9"]
    assert meterway("home", "--write-config", "x.toml", "--serial", "no way", cwd=tmp_path).returncode == 2
    assert meterway("home", cwd=tmp_path).returncode == 2


def asked(folder, *arguments, tries_s=30.0):
    """What a command of the head end answers, asked again until it is done."""
    deadline = time.monotonic() + tries_s
    while True:
        done = meterway(*arguments, "--json", cwd=folder)
        answer = json.loads(done.stdout) if done.stdout else {"ok": False, "error": done.stderr.decode()}
        if answer.get("ok") or time.monotonic() > deadline:
            return answer


@pytest.mark.covers("E-HAED", "F5b", "F5c", "F5d", "F5")
def test_a_head_end_commands_a_device_on_its_local_port_by_name(tmp_path):
    meterway("home", "--write-config", "home.toml", cwd=tmp_path)
    text = (tmp_path / "home.toml").read_text().replace("port = 4070", "port = 0")
    text = text.replace("# consent = false", "consent = true  #").replace("# offset_s = 300", "offset_s = 0  #")
    (tmp_path / "home.toml").write_text(text)
    with running("home", "home.toml", "--json", cwd=tmp_path, until="listening") as told:
        port = json.loads(told.splitlines()[-1])["port"]
        rows = meterway("home", "home.toml", "--csv", cwd=tmp_path).stdout.decode()
        (tmp_path / "rows.csv").write_text(re.sub(r",127\.0\.0\.1,\d+,", f",127.0.0.1,{port},", rows))
        meterway("headend", "--write-config", "headend.toml", cwd=tmp_path)
        assert meterway("import", "rows.csv", cwd=tmp_path).returncode == 0
        assert asked(tmp_path, "set", "H0001", "home-programme", '"PEAK"', tries_s=0)["ok"]
        done = asked(tmp_path, "act", "H0001", "disconnect-control-1", "remote_disconnect", tries_s=0)
        assert done["ok"], done
        state = asked(tmp_path, "read", "H0001", "disconnect-control-1", tries_s=0)
        assert (state["ok"], state["value"]) == (True, False), state
        order = "[7, 2, 0, 0, 900, 0, 0, 0]"
        assert asked(tmp_path, "set", "H0001", "load-order", order, tries_s=0)["ok"]
        assert asked(tmp_path, "read", "H0001", "0-64:96.3.10", tries_s=0)["value"] is False
        assert asked(tmp_path, "read", "H0001", "1.7.0", tries_s=0)["value"] == 0
