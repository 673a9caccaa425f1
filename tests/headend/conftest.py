"""A store in memory, and a head end that nobody calls and that calls nobody."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from meterway.headend.api import Views
from meterway.headend.config import CollectConfig, HeadEndConfig, PushConfig
from meterway.headend.serve import HeadEnd
from meterway.store.database import Store, open_store
from meterway.store.devices import NewDevice


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store("sqlite:///:memory:") as opened:
        yield opened


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[HeadEnd]:
    """With the meters A (1) and B (2) in its registry."""
    one = HeadEnd(
        HeadEndConfig(
            store=str(tmp_path / "store.sqlite"),
            master_key=str(tmp_path / "key"),
            push=PushConfig(enabled=False),
            collect=CollectConfig(enabled=False, every_s=900.0),
        )
    )
    one.store.devices.add_many([NewDevice(serial="A", profile="idis"), NewDevice(serial="B")], now_ms=0)
    yield one
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, one.stop()).result()


@pytest.fixture
def views(idle: HeadEnd) -> Views:
    return Views(idle)
