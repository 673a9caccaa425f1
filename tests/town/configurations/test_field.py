"""The field's process: what it reports, what happens in it, what it refuses."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

import msgspec
import pytest

from meterway.base.errors import ConfigError
from meterway.town.configurations import field as module
from meterway.town.configurations.field import Field
from meterway.town.configurations.messages import FieldOrder, FieldReport, Happening


def order(folder: Path, label: str = "P1", meters: int = 2) -> FieldOrder:
    return FieldOrder(label, meters, str(folder), bytes(range(32)).hex(), speak_s=2.0)


def test_a_field_reports_how_its_devices_are_reached_and_lets_things_happen(tmp_path: Path) -> None:
    async def live() -> None:
        field = Field(order(tmp_path))
        try:
            report = await field.start()
            assert [way.serial for way in report.ways] == ["M0001", "M0002"]
            assert {way.head_end for way in report.ways} == {"head end"}
            assert len({way.port for way in report.ways} | {port.port for port in report.ports}) == 4
            before = field.happen(Happening("M0001", "look"))
            assert before.facts["energy"] > 0
            slipped = field.happen(Happening("M0001", "clock", 600.0))
            assert 590 < abs(slipped.facts["clock_error_s"]) < 610
            assert "does not happen" in field.happen(Happening("M0001", "flood")).error
            assert "no M0009" in field.happen(Happening("M0009", "look")).error
            assert field.happen(Happening()).carried == []
        finally:
            await field.stop()

    asyncio.run(live())


def test_a_field_of_an_unknown_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="P99"):
        Field(order(tmp_path, "P99"))


def test_an_order_that_is_none_is_answered_with_the_reason(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"label": 3}\n')))
    assert module.main() == 1
    assert "unreadable" in msgspec.json.decode(capfdbinary.readouterr().out, type=FieldReport).error
