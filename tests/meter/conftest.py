"""Meters for the tests of this folder."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from meterway.meter.config import MeterConfig
from meterway.meter.device import Meter
from meterway.meter.keys import Keys

SECRET = bytes(range(16))


@pytest.fixture
def now() -> float:
    """Noon of a working day in March 2026, some seconds into a quarter-hour."""
    return datetime(2026, 3, 11, 11, 3, 20, tzinfo=UTC).timestamp()


@pytest.fixture
def make() -> Callable[..., Meter]:
    """A meter with the given settings."""

    def build(serial: str = "M0001", **settings: object) -> Meter:
        settings.setdefault("installed", date(2026, 1, 1))
        return Meter(MeterConfig(serial=serial, keys=Keys.derive(SECRET, serial), **settings))  # type: ignore[arg-type]

    return build
