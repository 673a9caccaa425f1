"""Reports over a real MQTT broker: a receipt for each that is on disk, none for one that is refused."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import programs
from headend.reports import DAY_S, known, report, series, today
from meterway.base.errors import ConfigError
from meterway.headend.broker import Broker
from meterway.headend.config import BrokerConfig
from meterway.headend.delivery import Delivery
from meterway.headend.live import Live
from meterway.model.report import decode_receipt, encode_report
from meterway.store.database import Store

pytestmark = [pytest.mark.covers("IF-G2"), pytest.mark.needs("mosquitto"), pytest.mark.peer]

YESTERDAY = today() - DAY_S


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = int(free.getsockname()[1])
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {number} 127.0.0.1\nallow_anonymous true\nuser {Path.home().owner()}\n")
    with subprocess.Popen([str(programs.find("mosquitto")), "-c", str(config)], stderr=subprocess.DEVNULL) as running:
        yield number
        running.terminate()


@asynccontextmanager
async def listening(store: Store, port: int) -> AsyncIterator[Broker]:
    async def at_once(step: Any) -> Any:
        return step()

    delivery = Delivery(known(store), Live(), in_thread=at_once, wake=lambda: None, limit=100_000)
    broker = Broker(BrokerConfig(host="127.0.0.1", port=port), delivery)
    task = asyncio.create_task(broker.run())
    try:
        async with asyncio.timeout(20):
            while not broker.connected:  # noqa: ASYNC110  what is waited for has no event
                await asyncio.sleep(0.02)
        yield broker
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_reports_are_taken_and_acknowledged_on_the_topic_of_their_sender(store: Store, port: int) -> None:
    import aiomqtt

    async def work() -> list[tuple[str, str, str]]:
        one, two = (encode_report(report(name, series(1, YESTERDAY, 4))) for name in ("one", "two"))
        heard: list[tuple[str, str, str]] = []
        async with listening(store, port), aiomqtt.Client("127.0.0.1", port) as nnap:
            await nnap.subscribe("meterway/+/receipts", qos=1)
            for topic, octets in (("N1", one), ("N2", two), ("N1", b"nonsense"), ("N1", one), ("N1", two)):
                await nnap.publish(f"meterway/{topic}/reports", octets, qos=1)
            async with asyncio.timeout(20):
                async for message in nnap.messages:
                    receipt = decode_receipt(bytes(message.payload))  # type: ignore[arg-type]
                    heard.append((str(message.topic), receipt.id, receipt.result))
                    if len(heard) == 3:
                        return heard
        return heard

    mine = "meterway/N1/receipts"
    assert asyncio.run(work()) == [
        (mine, "report-one", "stored"), (mine, "report-one", "duplicate"), (mine, "report-two", "stored"),
    ]  # fmt: skip
    assert len(store.blocks.read_range(store.devices.by_serial("M1").id, 0, 40000)) == 1


def test_what_is_refused_is_said_to_its_sender_with_field_and_place(store: Store, port: int) -> None:
    import aiomqtt

    async def work() -> Any:
        wrong = encode_report(report("wrong", series(9, YESTERDAY, 4)))
        async with listening(store, port), aiomqtt.Client("127.0.0.1", port) as nnap:
            await nnap.subscribe("meterway/N1/receipts", qos=1)
            await nnap.publish("meterway/N1/reports", wrong, qos=1)
            async with asyncio.timeout(20):
                async for message in nnap.messages:
                    return decode_receipt(bytes(message.payload))  # type: ignore[arg-type]
        return None

    receipt = asyncio.run(work())
    assert (receipt.id, receipt.result) == ("report-wrong", "refused")
    assert "meters[0].serial" in receipt.reason


def test_a_broker_that_is_not_there_is_said_and_tried_again(store: Store) -> None:
    async def work() -> Broker:
        broker = Broker(BrokerConfig(host="127.0.0.1", port=1), None)  # type: ignore[arg-type]
        task = asyncio.create_task(broker.run())
        async with asyncio.timeout(20):
            while not broker.error:  # noqa: ASYNC110  what is waited for has no event
                await asyncio.sleep(0.02)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return broker

    assert not asyncio.run(work()).connected


def test_a_file_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    for name in ("password_file", "authority"):
        with pytest.raises(ConfigError, match=f"bulk.broker.{name}"):
            Broker(BrokerConfig(host="b.example", **{name: str(tmp_path / "no")}), None)  # type: ignore[arg-type]
