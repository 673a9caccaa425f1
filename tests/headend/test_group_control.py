"""Groups and orders over the control socket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from headend.nnap_double import Double, living, meter
from meterway.base.errors import ConfigError
from meterway.headend.control import Request
from meterway.headend.control_server import perform

pytestmark = pytest.mark.covers("F4f")


def test_a_group_is_defined_listed_and_ordered(tmp_path: Path) -> None:
    async def work() -> None:
        async with living(tmp_path, Double("N1", meter("M0"))) as head:
            await head.collect_now("N1")
            street = {"name": "street", "nnaps": ["N1"]}
            assert await perform(head, Request(action="group-define", serial="street", value=street)) == {"ok": True}
            listed = await perform(head, Request(action="group-list", serial=""))
            assert listed["groups"] == [{"name": "street", "nnaps": ["N1"], "meters": [], "profile": ""}]
            wanted = {"kind": "disconnect", "dry_run": True}
            answer = await perform(head, Request(action="group-order", serial="street", value=wanted))
            order = answer["order"]
            assert isinstance(order, dict)
            assert (order["state"], order["group"]) == ("planned", "street")
            for wrong in ({"kind": "explode"}, {"kind": "clock", "sample": -1}, None):
                with pytest.raises(ConfigError):
                    await perform(head, Request(action="group-order", serial="street", value=wrong))
            for action in ("group-show", "group-nothing"):
                with pytest.raises(ConfigError):
                    await perform(head, Request(action=action, serial="x"))

    asyncio.run(work())
