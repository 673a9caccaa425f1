"""Groups and orders over the API."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.covers("F4f")


def test_a_group_is_defined_and_a_dry_run_says_who_would_get_an_order(http: Any, bearer: Any, head_end: Any) -> None:
    body = {"name": "some", "meters": ["M0001", "M0003"]}
    assert http.put("/api/v1/groups", json=body, headers=bearer).status_code == 200
    assert [group["name"] for group in http.get("/api/v1/groups").json()] == ["some"]
    wanted = {"kind": "disconnect", "dry_run": True}
    order = http.post("/api/v1/groups/some/orders", json=wanted, headers=bearer)
    assert order.status_code == 202, order.text
    (part,) = order.json()["parts"]
    assert (part["members"], part["way"], part["why"]) == (2, "one by one", "reached by itself")
    assert http.get("/api/v1/orders").json() == []
    assert http.get("/api/v1/orders/none").status_code == 422
    assert head_end.store.audit.recent(limit=1)[0].action == "define group some"


def test_orders_need_a_token_and_a_group_that_is_there(http: Any, bearer: Any) -> None:
    wanted = {"kind": "disconnect"}
    assert http.post("/api/v1/groups/some/orders", json=wanted).status_code == 403
    assert http.post("/api/v1/groups/none/orders", json=wanted, headers=bearer).status_code == 422
    assert http.post("/api/v1/groups/none/orders", json={"kind": "x"}, headers=bearer).status_code in (400, 422)
