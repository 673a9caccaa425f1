"""A real Mosquitto: sensors appear, over TLS with the home's own login; a wrong login or authority gets nowhere."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import ipaddress
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lnap_town import NOON, RadioMeter, hear, ledger, site
from meterway.base.errors import ConfigError
from meterway.interfaces.mbus.ledger import Ledger
from meterway.lnap.home import Home
from meterway.lnap.links_config import MqttConfig

aiomqtt = pytest.importorskip("aiomqtt")
Program = Callable[[str], Path]
pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.peer]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@contextmanager
def broker(program: Program, folder: Path) -> Iterator[tuple[int, Path]]:
    """A Mosquitto with TLS and one login, on a free port; it reads its files itself, as whoever runs the test."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    cert, key = certificate(folder / "tls")
    passwords = folder / "passwords"
    passwords.touch(mode=0o600)
    tool = program("mosquitto").parent.parent / "bin" / "mosquitto_passwd"
    subprocess.run([str(tool), "-b", str(passwords), "lnap", "secret"], check=True, capture_output=True)
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\ncertfile {cert}\nkeyfile {key}\nallow_anonymous false\n"
        f"password_file {passwords}\nuser {Path.home().owner()}\n"
    )
    with subprocess.Popen([str(program("mosquitto")), "-c", str(config)], stderr=subprocess.DEVNULL) as running:
        try:
            yield port, cert
        finally:
            running.terminate()


def settings(port: int, cert: Path, **more: Any) -> MqttConfig:
    given = {"port": port, "username": "lnap", "password": "secret", "authority": str(cert), "every_s": 0.05}
    return MqttConfig(**{**given, **more})


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.02)


async def with_home(config: MqttConfig, book: Ledger, work: Callable[[Home], Coroutine[Any, Any, None]]) -> None:
    home = Home(config, site(book), lambda: NOON)
    task = asyncio.create_task(home.run())
    try:
        await work(home)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def retained(port: int, cert: Path, count: int) -> dict[str, str]:
    """What the broker keeps, once there are ``count`` messages."""
    found: dict[str, str] = {}
    context = ssl.create_default_context(cafile=str(cert))
    async with (
        asyncio.timeout(20),
        aiomqtt.Client("127.0.0.1", port, username="lnap", password="secret", tls_context=context) as client,
    ):
        await client.subscribe("#")
        async for message in client.messages:
            found[str(message.topic)] = message.payload.decode()
            if len(found) == count:
                return found
    return found


@pytest.mark.covers("IF-H2", "UC-CU-01")
def test_home_assistant_finds_a_gas_meter_and_its_value(tmp_path: Path, program: Program) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())

    async def run(port: int, cert: Path) -> None:
        async def work(home: Home) -> None:
            await until(lambda: home.connected)
            hear(book, meter.telegram(12.345), NOON)
            kept = await retained(port, cert, 4)
            (config,) = [json.loads(payload) for topic, payload in kept.items() if topic.startswith("homeassistant")]
            assert (config["device_class"], config["state_class"]) == ("gas", "total_increasing")
            assert config["unit_of_measurement"] == "m³"
            assert kept[config["state_topic"]] == "12.345"
            assert [kept[entry["topic"]] for entry in config["availability"]] == ["online", "online"]
            book.gateway.unbind(1, NOON)
            before = home.published
            await until(lambda: home.published >= before + 3)

        await with_home(settings(port, cert), book, work)
        assert await retained(port, cert, 1) == {"meterway/LNAP0001/status": "offline"}

    with broker(program, tmp_path) as (port, cert):
        asyncio.run(run(port, cert))
    book.spool.close()


@pytest.mark.covers("IF-H2", "SEC-03", "E-LNAP-4", "SEC-17")
@pytest.mark.filterwarnings("ignore:unclosed <(ssl.SSLSocket|socket.socket):ResourceWarning")
@pytest.mark.parametrize("wrong", ["password", "authority"])
def test_a_wrong_login_or_authority_gets_nowhere(tmp_path: Path, program: Program, wrong: str) -> None:
    book = ledger(tmp_path, RadioMeter().bound())
    other, _ = certificate(tmp_path / "other")
    changed = {"password": "guess"} if wrong == "password" else {"authority": str(other)}

    async def run(port: int, cert: Path) -> None:
        async def work(home: Home) -> None:
            words = ("authori",) if wrong == "password" else ("certificate",)
            await until(lambda: any(word in home.error.lower() for word in words))
            assert not home.connected
            assert home.published == 0

        await with_home(settings(port, cert, **changed), book, work)

    with broker(program, tmp_path) as (port, cert):
        asyncio.run(run(port, cert))
    gc.collect()  # the library lets go of a socket whose handshake failed without closing it
    book.spool.close()


def test_without_the_library_the_settings_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiomqtt", None)
    book = ledger(tmp_path)
    with pytest.raises(ConfigError, match="extra 'mqtt'"):
        Home(MqttConfig(tls=False), site(book), lambda: NOON)
    book.spool.close()
