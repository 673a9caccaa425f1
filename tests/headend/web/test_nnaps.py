"""The pages and the API of concentrators."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meterway.headend.neighbourhood import Neighbourhood
from meterway.headend.nnaps import NnapViews
from meterway.headend.serve import HeadEnd
from meterway.mapping.neighbourhood import HEARD_SAP, NodeRow, NodeState
from meterway.stacks.mbus.address import Address
from meterway.store.devices import GATEWAY, NewDevice
from meterway.store.nodes import Node

pytestmark = pytest.mark.covers("IF-G2", "E-HES-12")
PLACE = Path(__file__).parent


@pytest.fixture
def street(head_end: HeadEnd) -> HeadEnd:
    """The meters of the head end behind a concentrator, one through another; M0003 is away."""
    store = head_end.store
    nnap = store.devices.add(NewDevice(serial="N<1>", utility=GATEWAY, profile="nnap", host="h", port=4059), now_ms=1)
    first, second, third = (store.devices.by_serial(serial).id for serial in ("M0001", "M0002", "M0003"))
    for device in (first, second, third):
        store.devices.update(device, {"parent": nnap.id}, now_ms=2)
    now_ms = int(time.time() * 1000)
    store.nodes.put_many(
        [
            Node(device=first, nnap=nnap.id, eui=b"EUI00001", hops=1, quality=90, heard_ms=now_ms),
            Node(device=second, nnap=nnap.id, eui=b"EUI00002", parent=b"EUI00001", hops=2, quality=60, sap=18),
            Node(device=third, nnap=nnap.id, eui=b"EUI00003", state=1, quality=10),
        ]
    )
    return head_end


def test_the_list_says_how_full_and_how_well_heard_each_is(http: Any, street: HeadEnd) -> None:
    (row,) = http.get("/api/v1/nnaps").json()
    assert (row["serial"], row["nodes"], row["away"], row["quality"]) == ("N<1>", 3, 1, 75)
    assert 0.5 < row["yesterday"] < 2 / 3  # two of three have values, one of them a gap
    text = http.get("/nnaps").text
    assert "N&lt;1&gt;" in text
    assert f"{int(row['yesterday'] * 1000) / 10:.1f} %" in text


def test_the_page_of_one_draws_its_tree_in_two_widths(http: Any, street: HeadEnd) -> None:
    answer = http.get("/nnaps/N%3C1%3E")
    assert answer.status_code == 200, answer.text
    assert answer.text.count('<svg class="tree') == 2
    assert answer.text.count('class="link bad"') == 0
    assert answer.text.count('class="link warn"') == answer.text.count('class="link away"') == 2
    assert "No supervision meter" in answer.text
    part = http.get("/nnaps/N%3C1%3E", headers={"HX-Request": "true"}).text
    assert "<svg" in part
    assert "<html" not in part


def test_a_meter_says_what_it_is_behind(http: Any, street: HeadEnd) -> None:
    page = http.get("/meters/M0002").text
    assert "/nnaps/N%3C1%3E" in page
    assert "2 hops, link at 60 %" in page
    assert "from its mirrored data" in page
    chain = http.get("/api/v1/meters/M0002").json()["chain"]
    assert [step["serial"] for step in chain] == ["N<1>", "M0002"]
    assert chain[-1]["through"] == "M0001"


@pytest.mark.covers("IF-C", "E-NNAP")
def test_a_battery_meter_says_who_hears_it_and_how_well(http: Any, street: HeadEnd) -> None:
    store, gas = street.store, "MWY-10000001-01-03"
    neighbourhood = Neighbourhood(store, street.fleet, set())
    other = store.devices.add(NewDevice(serial="N2", utility=GATEWAY, profile="nnap", host="h", port=4060), now_ms=1)
    now_ms = int(time.time() * 1000)
    told = NodeRow(
        serial=gas, system_title=b"", eui=Address.parse(gas).to_radio(), state=NodeState.HEARD, address=1,
        quality=80, heard=now_ms // 1000 - 5, sap=HEARD_SAP + 1,
    )  # fmt: skip
    with store.transaction():
        neighbourhood.settle(other, [told], now_ms=now_ms)
        neighbourhood.settle(store.devices.by_serial("N<1>"), [replace(told, quality=30)], now_ms=now_ms)
    page = http.get(f"/meters/{gas}").text
    assert '<a href="/nnaps/N2">N2</a> at 80 %, <a href="/nnaps/N%3C1%3E">N&lt;1&gt;</a> at 30 %' in page
    assert "from what was heard of it" in page
    assert "link at" not in page
    mast = http.get("/nnaps/N2")
    assert mast.status_code == 200
    assert gas in mast.text
    (row,) = [one for one in http.get("/api/v1/nnaps").json() if one["serial"] == "N2"]
    assert (row["nodes"], row["away"], row["quality"]) == (1, 0, 80)


def test_the_balance_is_that_of_the_meter_that_is_named(http: Any, bearer: Any, street: HeadEnd) -> None:
    assert http.get("/api/v1/nnaps/N%3C1%3E/balance").status_code == 422
    body = {"meter": "M0001"}
    done = http.post("/api/v1/nnaps/N%3C1%3E/supervision", json=body, headers=bearer)
    assert done.json() == {"nnap": "N<1>", "meter": "M0001"}
    assert street.store.audit.recent(limit=1)[0].action == "supervision"
    found = http.get("/api/v1/nnaps/N%3C1%3E/balance").json()
    names = {channel["name"]: channel["values"] for channel in found["channels"]}
    assert any(value is not None for value in names["supplied"])
    assert "M0001" in http.get("/nnaps/N%3C1%3E").text
    http.post("/api/v1/nnaps/N%3C1%3E/supervision", json={"meter": ""}, headers=bearer)
    assert NnapViews(street, street_views(street)).one("N<1>").supervision == ""


def street_views(head_end: HeadEnd) -> Any:
    from meterway.headend.api import Views

    return Views(head_end)


def test_what_is_no_concentrator_is_not_found(http: Any, bearer: Any, street: HeadEnd) -> None:
    assert http.get("/nnaps/M0001").status_code == 404
    assert http.get("/api/v1/nnaps/M0001/balance").status_code == 404
    wrong = http.post("/api/v1/nnaps/N%3C1%3E/supervision", json={"meter": "M9"}, headers=bearer)
    assert wrong.status_code == 404
