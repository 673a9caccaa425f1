"""Time that tests may move."""

from __future__ import annotations

import time

import pytest

from town.towns import Time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Noon of the coming day, for everybody."""
    moved = Time()
    moved.at(12)
    monkeypatch.setattr(time, "time", moved)
    return moved
