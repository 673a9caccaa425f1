"""``meterway local``, as a user calls it."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from meterway.base.errors import ConfigError
from meterway.cli.local import local
from meterway.headend.config import sample
from meterway.meter.api import Keys, ListenConfig, MeterConfig, serve_meters
from meterway.store.database import open_store
from meterway.store.devices import NewDevice

pytestmark = pytest.mark.covers("P14", "E-LOCAL")
METER = MeterConfig(serial="M1", keys=Keys.derive(bytes(range(16)), "M1"), profile_days=3)


def invoked(*arguments: str, env: dict[str, str] | None = None) -> Any:
    return CliRunner().invoke(local, list(arguments), env=env, catch_exceptions=True)


def read(file: Path) -> dict[str, Any]:
    """Read a meter that lives in another thread, as the command runs a loop of its own."""
    found: list[int] = []
    ready, done = threading.Event(), threading.Event()

    async def live() -> None:
        async with serve_meters([METER], listen=[ListenConfig(port=0, transport="hdlc", is_local=True)]) as host:
            found.append(host.endpoints[0].port)
            ready.set()
            while not done.is_set():  # noqa: ASYNC110  another thread tells
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    try:
        assert ready.wait(10)
        result = invoked(
            "read", f"127.0.0.1:{found[0]}", str(file), "--password", "env:PW", "--json",
            env={"PW": METER.keys.lls.decode()},
        )  # fmt: skip
    finally:
        done.set()
        thread.join()
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.output)
    return told


def test_what_was_read_locally_is_taken_in(tmp_path: Path) -> None:
    file, config = tmp_path / "M1.reading", tmp_path / "headend.toml"
    told = read(file)
    assert (told["ok"], told["serial"]) == (True, "M1")
    config.write_text(sample())
    store_url = f"sqlite:///{tmp_path}/headend.sqlite"
    text = "\n".join(line for line in sample().splitlines() if not line.startswith(("store", "master_key")))
    config.write_text(f'store = "headend.sqlite"\nmaster_key = "headend.key"\n{text}')
    store = open_store(store_url)
    store.devices.add(NewDevice(serial="M1"), now_ms=0)
    store.close()
    result = invoked("take", str(file), "--config", str(config), "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    taken = json.loads(result.output)
    assert taken["sha256"] == told["sha256"]
    assert taken["values"] > 96
    again = invoked("take", str(file), "--config", str(config))
    assert " 0 new events" in again.output


def test_a_password_on_the_command_line_and_a_file_that_is_there_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x"
    for arguments, word in (
        (("read", "127.0.0.1:1", str(file), "--password", "12345678"), "env:NAME"),
        (("read", "nowhere", str(file), "--password", "env:PW"), "HOST:PORT"),
        (("read", "h:1", str(tmp_path), "--password", "env:PW"), "directory"),
    ):
        result = invoked(*arguments, env={"PW": "12345678"})
        assert result.exit_code != 0
        assert word in str(result.exception) + result.output
    file.write_text("kept")
    result = invoked("read", "h:1", str(file), "--password", "env:PW", env={"PW": "12345678"})
    assert isinstance(result.exception, ConfigError)
    assert file.read_text() == "kept"


def test_a_damaged_file_is_not_taken_in(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("{}")
    config = tmp_path / "headend.toml"
    config.write_text(sample())
    result = invoked("take", str(tmp_path / "x"), "--config", str(config))
    assert isinstance(result.exception, ConfigError)
    assert "digest" in str(result.exception)
