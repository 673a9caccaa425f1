"""``meterway group``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from meterway.cli import group as cli
from meterway.cli.group import group

pytestmark = pytest.mark.covers("F4f")

REPORT: dict[str, Any] = {
    "id": "o1", "group": "street", "kind": "disconnect", "state": "done", "confidence": 0.95,
    "parts": [
        {"nnap": "N1", "members": 300, "way": "broadcast", "why": "", "state": "done", "sampled": 59, "confirmed": 58,
         "failed_at_most": 0.078, "devices": {"M1": "confirmed", "M2": "not done: True"}},
        {"nnap": "", "members": 1, "way": "one by one", "why": "reached by itself", "state": "expired", "sampled": 0,
         "confirmed": 0, "failed_at_most": 1.0, "devices": {}},
    ],
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would be asked of the head end; it answers with an order."""
    calls: list[tuple[Any, ...]] = []

    def answer(config: Path | None, action: str, name: str, value: dict[str, Any]) -> dict[str, Any]:
        calls.append((action, name, value))
        return {"ok": True, "order": REPORT}

    monkeypatch.setattr(cli, "_ask", answer)
    return calls


def test_an_order_is_asked_for_and_shown_by_concentrator(asked: list[tuple[Any, ...]]) -> None:
    done = CliRunner().invoke(group, ["order", "street", "disconnect", "--sample", "59", "--dry-run"])
    assert done.exit_code == 0
    action, name, value = asked[0]
    assert (action, name, value["sample"], value["dry_run"]) == ("group-order", "street", 59, True)
    assert done.output.splitlines() == [
        "order o1: disconnect of street, done",
        "  N1: 300 meters, broadcast, done; 58 of 59 read back have done it, at most 7.8% have not (95% sure)",
        "    M2: not done: True",
        "  no concentrator: 1 meters, one by one (reached by itself), expired",
    ]


def test_a_group_is_defined_of_what_is_named(asked: list[tuple[Any, ...]]) -> None:
    CliRunner().invoke(group, ["define", "street", "--nnap", "N1", "--meter", "M1", "--meter", "M2"])
    assert asked[0][2] == {"name": "street", "nnaps": ["N1"], "meters": ["M1", "M2"], "profile": ""}


def test_a_kind_or_a_value_that_is_none_is_wrong_usage() -> None:
    assert CliRunner().invoke(group, ["order", "street", "explode"]).exit_code == 2
    assert CliRunner().invoke(group, ["order", "street", "emergency", "--value", "{"]).exit_code == 2


def test_without_a_head_end_that_runs_it_says_so(tmp_path: Path) -> None:
    config = tmp_path / "headend.toml"
    config.write_text('store = "s.sqlite"\n')
    done = CliRunner().invoke(group, ["list", "--config", str(config)])
    assert "no head end runs" in str(done.exception)
