"""A head end on a store of its own with three meters, and its web application."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from litestar.testing import TestClient

from meterway.base.obis import Obis
from meterway.headend.config import CollectConfig, HeadEndConfig, PushConfig, WebConfig
from meterway.headend.layout import DeviceLayout
from meterway.headend.serve import HeadEnd
from meterway.headend.web.app import create_app
from meterway.headend.web.tokens import new_token
from meterway.store.block import Block, Channel, Column, batch_of
from meterway.store.blocks import NewBlock
from meterway.store.contacts import Contact
from meterway.store.devices import NewDevice
from meterway.store.events import Event
from meterway.store.packing import pack_many
from meterway.store.readings import Reading
from meterway.store.tasks import NewTask

DAYS = 3
SERIALS = ("M0001", "M0002", "M0003")
COLUMNS = (Column(obis=Obis(1, 0, 1, 8, 0), unit=30), Column(obis=Obis(1, 0, 2, 8, 0), unit=30))


def fill(head_end: HeadEnd) -> None:
    """Three meters; two of them have whole days of 15-minute values, M0002 with a gap of two hours yesterday."""
    store, now_ms = head_end.store, int(time.time() * 1000)
    today = now_ms // 86_400_000
    # Port 1 of loopback refuses: whoever calls these meters learns so at once.
    store.devices.add_many(
        [
            NewDevice(serial=serial, profile="idis", host="127.0.0.1", port=1, system_title=serial.encode() + bytes(3))
            for serial in SERIALS
        ],
        now_ms=now_ms,
    )
    for number, device in enumerate(store.devices.all()[:2]):
        blocks = [_day(today - back, back, gap=number == 1 and back == 1) for back in range(DAYS, 0, -1)]
        packed = pack_many(batch_of(blocks))
        store.blocks.upsert_many([NewBlock(device=device.id, packed=each) for each in packed], now_ms=now_ms)
    first = store.devices.all()[0].id
    reading = Reading(device=first, obis=Obis(1, 0, 1, 8, 0), time_ms=now_ms, value=123456, scaler=1, unit=30)
    store.readings.add_many([reading], now_ms=now_ms)
    store.events.add_many(
        [
            Event(device=first, log="0-0:99.98.0*255", code=1, time_ms=now_ms, received_ms=now_ms),
            Event(
                device=first, log="push", code=3, time_ms=now_ms, received_ms=now_ms, source="push", detail="<b>x</b>"
            ),
        ]
    )
    detail = '{"quirks": ["tagged-date-time"], "clock_offset_s": 1.5}'
    store.contacts.add(
        Contact(device=first, kind="collect", started_ms=now_ms, duration_us=1500, result="ok", detail=detail)
    )
    layout = DeviceLayout(identity={"0-0:96.1.0": "factory-77"}, scalers={}, profiles={})
    store.settings.put(f"layout:{first}", layout.encode())
    store.tasks.add_many([NewTask(device=first, kind="collect", due_ms=now_ms + 60_000)], now_ms=now_ms)
    store.devices.set_states([(first, "active")], now_ms=now_ms)


def _day(day: int, back: int, *, gap: bool) -> Block:
    present = np.ones(96, bool)
    if gap:
        present[40:48] = False
    start = np.arange(96) + (DAYS - back) * 96
    channels = tuple(Channel.of(column, start * 25, present=present) for column in COLUMNS)
    return Block(start_s=day * 86400, interval_s=900, channels=channels)


@pytest.fixture
def token(tmp_path: Path) -> str:
    """A token of the operator ``anna``."""
    return new_token(tmp_path / "tokens", "anna")


@pytest.fixture
def head_end(tmp_path: Path, token: str) -> Iterator[HeadEnd]:
    """A head end that neither collects nor listens."""
    del token
    config = HeadEndConfig(
        store=str(tmp_path / "store.sqlite"),
        master_key=str(tmp_path / "master.key"),
        web=WebConfig(port=0, tokens=str(tmp_path / "tokens")),
        push=PushConfig(enabled=False),
        collect=CollectConfig(enabled=False, connect_timeout_s=5.0),
    )
    one = HeadEnd(config)
    fill(one)
    yield one
    with ThreadPoolExecutor(1) as pool:  # a browser test has a loop of its own running in this thread
        pool.submit(asyncio.run, one.stop()).result()


@pytest.fixture
def http(head_end: HeadEnd) -> Iterator[TestClient]:
    """A browser on the same machine."""
    with TestClient(create_app(head_end), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def bearer(token: str) -> dict[str, str]:
    """The header of a program that has a token."""
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def today() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
