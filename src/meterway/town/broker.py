"""The MQTT broker on which the homes of a town are heard: a Mosquitto with TLS, a login and a corner for each home.

It is a program of its own that a machine may lack; then the town goes without H2.
"""

from __future__ import annotations

import asyncio
import getpass
import importlib.util
import secrets
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from meterway.base.errors import LinkError
from meterway.base.settings import Secretive
from meterway.town.certificate import loopback_certificate

__all__ = ["Broker", "BrokerAccess", "WATCHER", "corner_of"]

WATCHER: Final = "automation"
"""The login that reads every home: the town's home automation."""
_PLACES: Final = f"{Path('/usr/sbin')}:{Path('/usr/local/sbin')}"
_START_S: Final = 10.0
_LOOK_S: Final = 0.02


class BrokerAccess(Secretive, frozen=True):
    """How a home reaches the broker: port, the file of its authority, a password for each login."""

    port: int
    authority: str
    passwords: dict[str, str]


def corner_of(login: str) -> str:
    """Below which topic a home writes; no other home may."""
    return f"home/{login}"


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=_PLACES)


class Broker:
    """Runs while the town does; ``folder`` takes its files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "broker"
        self._process: asyncio.subprocess.Process | None = None

    @staticmethod
    def missing() -> str:
        """What this machine lacks for it; empty if nothing."""
        if importlib.util.find_spec("aiomqtt") is None:
            return "the package aiomqtt"
        return "" if _program("mosquitto") and _program("mosquitto_passwd") else "the program mosquitto"

    async def start(self, homes: Sequence[str]) -> BrokerAccess:
        """Start it with a login for each home; LinkError if it does not come up."""
        passwords = {login: secrets.token_urlsafe(18) for login in (*homes, WATCHER)}
        certificate, key = loopback_certificate(self._folder)
        await self._keep_passwords(passwords)
        port = _free_port()
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\ncertfile {certificate}\nkeyfile {key}\nallow_anonymous false\n"
            f"password_file {self._folder / 'passwords'}\nacl_file {self._rights(homes)}\nuser {getpass.getuser()}\n"
        )
        self._process = await asyncio.create_subprocess_exec(
            str(_program("mosquitto")),
            "-c",
            str(config),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        await self._until_listening(port)
        return BrokerAccess(port=port, authority=str(certificate), passwords=passwords)

    async def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def _keep_passwords(self, passwords: dict[str, str]) -> None:
        """Write them to the broker's file in the clear, then have its own tool hash them in place."""
        file = self._folder / "passwords"
        file.touch(mode=0o600)
        file.write_text("".join(f"{login}:{password}\n" for login, password in passwords.items()))
        tool = await asyncio.create_subprocess_exec(str(_program("mosquitto_passwd")), "-U", str(file))
        if await tool.wait():
            raise LinkError("mosquitto_passwd could not hash the passwords of the homes")

    def _rights(self, homes: Sequence[str]) -> Path:
        file = self._folder / "rights"
        file.touch(mode=0o600)
        lines = [f"user {WATCHER}\ntopic read #\n"]
        lines += [f"user {login}\ntopic readwrite {corner_of(login)}/#\n" for login in homes]
        file.write_text("\n".join(lines))
        return file

    async def _until_listening(self, port: int) -> None:
        try:
            async with asyncio.timeout(_START_S):
                while self._process is not None and self._process.returncode is None:
                    try:
                        _, writer = await asyncio.open_connection("127.0.0.1", port)
                    except OSError:
                        await asyncio.sleep(_LOOK_S)
                        continue
                    writer.close()
                    return
        except TimeoutError:
            pass
        raise LinkError("the homes' MQTT broker (mosquitto) did not come up")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
