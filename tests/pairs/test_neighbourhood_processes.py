"""A medium, meters, a concentrator and a head end, each a process of the command line, on every profile.

The medium and the stations on it run faster than they would (``time_factor``): joining takes minutes on a real one.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from command_line import meterway, running

METERS = 2
FACTORS = {"prime": 40, "s-fsk": 60, "g3": 40, "rf-mesh": 20}
EUI, STATE, PARENT, HOPS = 2, 3, 5, 6
MEMBER = 0
"""Places of a row of the node table."""


def settings(path: Path, profile: str, hub: int) -> None:
    """The files of all four, as their own commands write them; keys are drawn anew."""
    network = f'[network]\nport = {hub}\nprofile = "{profile}"\ntime_factor = {FACTORS[profile]}\n'
    (path / "meter.toml").write_text(
        f'secret = "{"5c" * 16}"\n[[meter]]\nserial = "M0001"\ncount = {METERS}\nprofile_days = 3\n'
        f"installed = {time.strftime('%Y-%m-%d', time.gmtime(time.time() - 2 * 86400))}\n"
        f"{network}spread_s = 0.5\nnode = 1\n"
    )
    nodes = meterway("meter", "meter.toml", "--white-list", cwd=path).stdout.decode()
    (path / "nnap.toml").write_text(
        'serial = "NNAP0001"\n[wan]\nport = 0\n'
        f'[[parties]]\nname = "operator"\nclient = 1\nsecret = "{"7d" * 16}"\n'
        'rights = ["read", "command", "configure"]\n'
        f"{network}retry_s = 0.5\nroutes_s = 1.0\n[plan]\nfirst_days = 1.0\nanswer_s = 20.0\n" + nodes
    )
    (path / "headend.toml").write_text(
        'store = "head.sqlite"\nmaster_key = "head.key"\n[web]\nport = 0\ntokens = "tokens"\n[push]\nenabled = false\n'
        "[collect]\nevery_s = 3600.0\nhistory_days = 2\n"
        "[neighbourhood]\nresponse_timeout_s = 20.0\n"
    )


class Pages:
    """The head end's API."""

    def __init__(self, told: str, token: str) -> None:
        self.token = token
        self.address = json.loads(told.splitlines()[-1])["address"]

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        asked = Request(f"{self.address}api/v1/{path}", data=data, method="POST")
        asked.add_header("Authorization", f"Bearer {self.token}")
        asked.add_header("Content-Type", "application/json")
        try:
            with urlopen(asked, timeout=60) as answer:
                return json.loads(answer.read())
        except HTTPError as error:
            return {"ok": False, "cause": "refused", "error": error.read().decode()}


def until(what: Callable[[], Any], seconds: float = 90.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.3)
    assert found, "it did not come in time"
    return found


@pytest.mark.parametrize("profile", list(FACTORS))
@pytest.mark.covers("IF-C", "IF-G2", "E-NNAP", "UC-BI-01", "F4a")
def test_four_processes_join_read_and_command(tmp_path: Path, profile: str) -> None:
    with ExitStack() as live:
        factor = str(FACTORS[profile])
        hub = ("neighbourhood", "--profile", profile, "--hops", "2", "--time-factor", factor, "--quiet", "--json")
        told = live.enter_context(running(*hub, "--port", "0", cwd=tmp_path, until="listening"))
        settings(tmp_path, profile, json.loads(told)["port"])
        live.enter_context(running("meter", "meter.toml", "--json", cwd=tmp_path, until="network"))
        told = live.enter_context(running("nnap", "nnap.toml", "--json", cwd=tmp_path, until="listening"))
        port = json.loads(told.splitlines()[-1])["port"]
        rows = meterway("nnap", "nnap.toml", "--csv", "operator", cwd=tmp_path).stdout.decode()
        (tmp_path / "all.csv").write_text(re.sub(r",127\.0\.0\.1,0,", f",127.0.0.1,{port},", rows))
        done = meterway("import", "all.csv", "--config", "headend.toml", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        token = meterway("headend", "headend.toml", "--new-token", "test", cwd=tmp_path).stdout.decode().strip()
        head = Pages(
            live.enter_context(running("headend", "headend.toml", "--json", cwd=tmp_path, until="pages")), token
        )

        def joined() -> list[Any]:
            """The node table once all are members, were read and have their routes."""
            table = head.post("meters/NNAP0001/read", {"object": "0-0:128.5.0", "class_id": 1}).get("value") or []
            return table if len(table) == METERS and all(row[STATE] == MEMBER and row[HOPS] for row in table) else []

        table = until(joined)
        euis = {row[EUI] for row in table}
        assert all(row[PARENT] in euis | {""} for row in table)
        assert "" in {row[PARENT] for row in table}, "somebody is next to the concentrator"
        until(lambda: "values" in head.post("meters/NNAP0001/collect"))
        energy = {"object": "1-0:1.8.0"}
        mirrored = until(lambda: (one := head.post("meters/M0001/read", {**energy, "way": "mirror"})).get("ok") and one)
        assert mirrored["age_s"] < 120
        direct = until(lambda: (one := head.post("meters/M0001/read", energy)).get("ok") and one)
        assert 0 <= direct["value"] - mirrored["value"] < 1000
        until(lambda: "values" in head.post("meters/M0002/collect"))
        switch = {"object": "0-0:96.3.10", "class_id": 70}
        assert head.post("meters/M0001/act", {**switch, "method": "remote_disconnect"})["ok"]
        state = head.post("meters/M0001/read", {**switch, "attribute": "output_state"})
        assert state["value"] is False, state
