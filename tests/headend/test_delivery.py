"""Reports as they come in: opened, read, stored, told."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest

from headend.reports import DAY_S, known, report, series, today
from meterway.base.errors import DecodeError, SecurityError
from meterway.headend.delivery import Delivery
from meterway.headend.live import Live
from meterway.model.report import Receipt, encode_report
from meterway.store.database import Store

pytestmark = pytest.mark.covers("IF-G2")

ONE = report("one", series(1, today() - DAY_S, 4))


def deliver(store: Store, *given: tuple[bytes, dict[str, Any]], limit: int = 100_000) -> tuple[list[object], Live]:
    live, came = Live(), []

    async def work() -> None:
        async def at_once(step: Any) -> Any:
            return step()

        delivery = Delivery(known(store), live, in_thread=at_once, wake=lambda: None, limit=limit)
        for octets, named in given:
            try:
                came.append(await delivery.take(octets, named.pop("sender", "N1"), **named))
            except (DecodeError, SecurityError) as error:
                came.append(error)
        assert sum(delivery.results.values()) == len(given)

    asyncio.run(work())
    return came, live


def test_json_and_xml_plain_and_packed_are_the_same_report(store: Store) -> None:
    plain, xml = encode_report(ONE), encode_report(ONE, xml=True)
    came, live = deliver(store, (gzip.compress(xml), {}), (plain, {}), (gzip.compress(plain), {"encoding": "gzip"}))
    results = [each.result for each in came if isinstance(each, Receipt)]
    assert results == ["stored", "duplicate", "duplicate"]
    assert [each.kind for each in live.recent] == ["report"] * 3


@pytest.mark.covers("SEC-11")
def test_what_is_refused_is_told_and_not_acknowledged(store: Store) -> None:
    came, live = deliver(
        store,
        (b"{}", {}),
        (encode_report(ONE), {"sender": "N2"}),
        (gzip.compress(bytes(200_000)), {}),
        (encode_report(ONE), {"is_xml": True}),
    )
    assert [type(each) for each in came] == [DecodeError, SecurityError, DecodeError, DecodeError]
    assert [each.kind for each in live.recent] == ["report-refused"] * 4
