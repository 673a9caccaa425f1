"""Losses and alarms on the page of a concentrator, and in the API."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from headend.web.test_nnaps import street
from meterway.headend.serve import HeadEnd
from meterway.store.alarms import AlarmRow
from meterway.store.balances import BalanceDay

pytestmark = pytest.mark.covers("IF-G2", "E-HES-12", "E-HES-5")
__all__ = ["street"]
PAGE = "/nnaps/N%3C1%3E"


@pytest.fixture
def watched(street: HeadEnd) -> HeadEnd:
    """A transformer with a week of days, and two alarms of its network."""
    nnap, today = street.store.devices.by_serial("N<1>").id, int(time.time()) // 86400
    days = [
        BalanceDay(
            device=nnap, day=today - 7 + at, revision=1 + at % 2, judged_ms=1000, period_s=900, intervals=96,
            complete=96 - 20 * (at == 3), given=200_000, taken=194_000 - 30_000 * (at > 3), low=-20, high=60,
            verdict=0 if at == 3 else 2 if at > 3 else 1, lacking=int(at == 3),
            missing='[["M<2>", 20]]' if at == 3 else "[]",
        )
        for at in range(7)
    ]  # fmt: skip
    street.store.balances.put_many(days)
    street.store.alarms.put_many(
        [
            AlarmRow(device=nnap, kind=4, subject="4d57590000000009", raised_ms=5000, text="asked 3 times"),
            AlarmRow(device=nnap, kind=1, subject="M0003", raised_ms=6000, cleared_ms=9000),
        ]
    )
    return street


def test_the_page_draws_the_losses_and_says_them_in_numbers(http: Any, watched: HeadEnd) -> None:
    text = http.get(PAGE).text
    assert text.count('<svg class="losses') == 2
    assert text.count('class="bar beyond"') == 2 * 3
    assert text.count('class="bar open"') == 2
    assert "M&lt;2&gt; (20)" in text
    assert "18.0 %" in text
    assert "36.000 kWh" in text


def test_an_alarm_is_acknowledged_on_the_page_and_stays_so(http: Any, watched: HeadEnd) -> None:
    text = http.get(PAGE).text
    assert "4d57590000000009" in text
    assert ">stands<" in text
    assert '<span class="tag critical">1</span>' in http.get("/nnaps").text
    proof = re.search(r'name="csrf" value="([^"]+)"', text)
    assert proof is not None
    form = {"csrf": proof[1], "kind": "stranger", "subject": "4d57590000000009", "raised_ms": "5000"}
    headers = {"origin": str(http.base_url).rstrip("/")}
    part = http.post(f"{PAGE}/acknowledge", data=form, headers={**headers, "hx-request": "true"})
    assert part.status_code == 200, part.text
    assert "<html" not in part.text
    assert 'value="stranger"' not in part.text
    assert '<span class="tag critical">1</span>' not in http.get("/nnaps").text
    entry = watched.store.audit.recent(limit=1)[0]
    assert (entry.action, entry.result) == ("acknowledge stranger 4d57590000000009", "ok")


def test_the_api_tells_losses_and_alarms_and_takes_an_acknowledgement(http: Any, bearer: Any, watched: HeadEnd) -> None:
    losses = http.get(f"/api/v1{PAGE}/losses").json()
    assert [one["verdict"] for one in losses] == ["within"] * 3 + ["open"] + ["beyond"] * 3
    assert losses[-1]["share"] == pytest.approx(0.18)
    first, second = http.get(f"/api/v1{PAGE}/alarms").json()
    assert (first["kind"], first["cleared"], second["kind"]) == ("stranger", "", "lost")
    body = {name: first[name] for name in ("kind", "subject", "raised_ms")}
    done = http.post(f"/api/v1{PAGE}/alarms/acknowledgement", json=body, headers=bearer)
    assert done.status_code == 200, done.text
    assert done.json()[0]["acknowledged_by"]
    wrong = http.post(f"/api/v1{PAGE}/alarms/acknowledgement", json={**body, "raised_ms": 1}, headers=bearer)
    assert wrong.status_code == 422
    assert http.post(f"/api/v1{PAGE}/alarms/acknowledgement", json=body).status_code in (401, 403)
