"""The homes' broker, a real Mosquitto: each home has its corner, and a stranger gets nowhere."""

import asyncio
import ssl

import pytest

from meterway.town import broker as module
from meterway.town.automation import Automation
from meterway.town.broker import WATCHER, Broker, BrokerAccess, corner_of
from town.towns import until

aiomqtt = pytest.importorskip("aiomqtt")


def client(access: BrokerAccess, login: str, password: str | None = None):
    context = ssl.create_default_context(cafile=access.authority)
    given = access.passwords[login] if password is None else password
    return aiomqtt.Client("127.0.0.1", access.port, username=login, password=given, tls_context=context)


@pytest.mark.peer
@pytest.mark.needs("mosquitto")
@pytest.mark.covers("IF-H2", "E-LNAP-5", "SEC-09")
def test_a_home_is_heard_in_its_own_corner_only(tmp_path):
    async def run() -> None:
        broker, automation = Broker(tmp_path), Automation()
        access = await broker.start(["A", "B"])
        automation.start(access)
        try:
            async with client(access, "A") as home:
                await home.publish(f"{corner_of('A')}/meterway/gas", "1.5", qos=1, retain=True)
                await home.publish(f"{corner_of('B')}/meterway/gas", "9.9", qos=1, retain=True)
                await home.publish(f"{corner_of('A')}/meterway/water", "2.5", qos=1, retain=True)
            await until(lambda: len(automation.told) >= 2)
            assert automation.told == {"home/A/meterway/gas": b"1.5", "home/A/meterway/water": b"2.5"}
            (row,) = automation.traffic()
            assert (row.label, row.entities, row.sessions) == ("H2", 2, 2)
            assert row.octets == len("home/A/meterway/gashome/A/meterway/water") + 6
            with pytest.raises(aiomqtt.MqttError):
                async with client(access, "A", "wrong"):
                    pass
            assert not set(access.passwords.values()) & set((tmp_path / "broker" / "passwords").read_text().split(":"))
        finally:
            await automation.stop()
            await broker.stop()

    asyncio.run(run())


def test_a_machine_without_the_program_says_so(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name, path=None: None)
    assert Broker.missing() == "the program mosquitto"


def test_the_watcher_is_no_home():
    assert WATCHER not in ("A", "B")
