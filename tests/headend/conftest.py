"""A store in memory."""

from collections.abc import Iterator

import pytest

from meterway.store.database import Store, open_store


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store("sqlite:///:memory:") as opened:
        yield opened
