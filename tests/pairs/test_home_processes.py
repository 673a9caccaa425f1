"""Interface H3 with every entity as a process of its own: a load controller switched through a concentrator."""

import csv
import io
import json
import re
import time

import pytest

from command_line import meterway, running
from meterway.store.database import open_store

pytestmark = pytest.mark.covers("IF-H3", "IF-G2", "E-HAED", "F5b", "F5c")

FACTORS = {"prime": 40, "s-fsk": 60, "g3": 40, "rf-mesh": 20}
"""How many times as fast each medium runs: at 1 joining takes minutes."""
SECRET = "5a" * 16
GROUP = "".join(f"{octet:02x}" for octet in range(16, 32))
"""The key of broadcasts."""
LOADS = "0-64:96.3.10"


def asked(folder, *arguments, tries_s=60.0):
    """What a command of the head end answers, asked again until it is done."""
    deadline = time.monotonic() + tries_s
    while True:
        done = meterway(*arguments, "--json", cwd=folder)
        answer = json.loads(done.stdout) if done.stdout else {"ok": False, "error": done.stderr.decode()}
        if answer.get("ok") or time.monotonic() > deadline:
            return answer
        time.sleep(0.5)


def programs(folder, profile, port):
    """Settings of the load controller, the concentrator and the head end, as their commands write them."""
    network = f"\n[network]\nport = {port}\nprofile = {profile!r}\ntime_factor = {FACTORS[profile]}\n"
    meterway("home", "--write-config", "home.toml", cwd=folder)
    text = (folder / "home.toml").read_text().split("# The local port")[0]
    text = text.replace("# consent = false", "consent = true  #").replace("# offset_s = 300", "offset_s = 0  #")
    text = text.replace("# programme = ", 'programme = "PEAK"  # ')
    text = text.replace("# gbek = ", f'gbek = "{GROUP}"  # ').replace("# gbak = ", f'gbak = "{GROUP[::-1]}"  # ')
    (folder / "home.toml").write_text(f"{text}{network}spread_s = 0.0\n")
    listed = meterway("home", "home.toml", "--white-list", cwd=folder).stdout.decode()
    rights = 'rights = ["read", "command", "configure"]'
    party = f'[[parties]]\nname = "operator"\nclient = 1\nsecret = "{SECRET}"\n{rights}'
    listed = re.sub(r'(role|profile) = "home"\n', "", listed)  # what it is, it is to tell by itself
    (folder / "nnap.toml").write_text(f'serial = "NNAP1"\n[wan]\nport = 0\n{party}{network}{listed}')
    meterway("headend", "--write-config", "headend.toml", cwd=folder)
    written = (folder / "headend.toml").read_text()
    (folder / "headend.toml").write_text(re.sub(r"(?m)^(# )?every_s = .*", "every_s = 2.0", written, count=1))


def put_in(folder, nnap):
    """The concentrator in the head end's registry; nothing of what is behind it."""
    port = json.loads(nnap.splitlines()[-1])["port"]
    rows = meterway("nnap", "nnap.toml", "--csv", "operator", cwd=folder).stdout.decode()
    row = next(csv.DictReader(io.StringIO(rows))) | {"port": str(port), "gbek": GROUP, "gbak": GROUP[::-1]}
    (folder / "nnap.csv").write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    done = meterway("import", "nnap.csv", cwd=folder)
    assert done.returncode == 0, done.stderr


def found(folder, limit_s=60.0):
    """The load controller as the head end has found it by itself, once it knows what it is."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        with open_store(f"sqlite:///{folder / 'meterway.sqlite'}") as store:
            device = store.devices.find("H0001")
            if device is not None and device.profile == "home":
                return device
        time.sleep(0.2)
    raise AssertionError(f"it was not found: {device}")


def all_on_by_broadcast(folder):
    """The orders of all load controllers end by one broadcast, and the sample that is read back has done it."""
    assert asked(folder, "group", "define", "loads", "--profile", "home", tries_s=0)["ok"]
    begun = asked(folder, "group", "order", "loads", "load-on", "--settle", "2", tries_s=0)
    assert begun["ok"], begun
    deadline = time.monotonic() + 60
    while (told := asked(folder, "group", "show", begun["order"]["id"], tries_s=0)["order"])["state"] != "done":
        assert time.monotonic() < deadline, told
        time.sleep(0.5)
    (part,) = told["parts"]
    assert (part["way"], part["state"], part["sampled"], part["confirmed"]) == ("broadcast", "done", 1, 1), part
    assert asked(folder, "read", "H0001", LOADS, tries_s=20)["value"] is True


@pytest.mark.parametrize("profile", FACTORS)
def test_a_load_is_switched_through_a_concentrator_with_every_entity_alone(tmp_path, profile):
    def line(*arguments, until):
        return running(*arguments, "--json", cwd=tmp_path, until=until)

    factor = str(FACTORS[profile])
    medium = ("--profile", profile, "--loss", "0", "--hops", "1", "--time-factor", factor)
    with line("neighbourhood", "--port", "0", "--quiet", *medium, until="listening") as told:
        programs(tmp_path, profile, json.loads(told.splitlines()[-1])["port"])
        with line("nnap", "nnap.toml", until="listening") as nnap, line("home", "home.toml", until="network"):
            put_in(tmp_path, nnap)
            with line("headend", "headend.toml", until="."):
                device = found(tmp_path)
                assert (device.utility, device.keys, device.parent is None) == ("home", None, False)
                (tmp_path / "keys.csv").write_bytes(meterway("home", "home.toml", "--csv", cwd=tmp_path).stdout)
                given = json.loads(meterway("import", "keys.csv", "--json", cwd=tmp_path).stdout)
                assert (given["completed"], given["added"], given["errors"]) == (1, 0, [])
                assert asked(tmp_path, "read", "H0001", LOADS)["value"] is True
                before = asked(tmp_path, "read", "H0001", "home-relays", tries_s=20)["value"]
                assert [row[1] for row in before] == [True, True]
                order = "[7, 2, 0, 0, 900, 0, 0, 0]"
                done = asked(tmp_path, "set", "H0001", "load-order", order, tries_s=20)
                assert done["ok"], done
                relays = asked(tmp_path, "read", "H0001", "home-relays", tries_s=20)["value"]
                assert [row[1:3] for row in relays] == [[True, 0], [False, 1]]
                done = asked(tmp_path, "act", "H0001", LOADS, "remote_disconnect", tries_s=20)
                assert done["ok"], done
                assert asked(tmp_path, "read", "H0001", LOADS, tries_s=20)["value"] is False
                assert asked(tmp_path, "read", "H0001", "1.7.0", tries_s=20)["value"] == 0
                if profile == "rf-mesh":
                    all_on_by_broadcast(tmp_path)
