"""The operator's pages, as a browser without scripts sees them."""

import re
import time
from datetime import date

import numpy as np
import pytest

from meterway.base.obis import Obis
from meterway.headend.api import Curve, CurveChannel
from meterway.headend.commands import Answered
from meterway.headend.load_state import LoadState, RelayState, keep_load
from meterway.headend.web.pages import daily
from meterway.store.block import Block, Channel, Column, batch_of
from meterway.store.blocks import NewBlock
from meterway.store.devices import NewDevice
from meterway.store.packing import pack_many

pytestmark = pytest.mark.covers("F1a", "F1b")


def form_of(http, serial="M0001"):
    proof = re.search(r'name="csrf" value="([0-9a-f]{64})"', http.get(f"/meters/{serial}").text).group(1)
    return {"csrf": proof}


@pytest.mark.parametrize(
    "path", ["/", "/figure", "/meters", "/meters/M0001", "/meters/M0003", "/events", "/audit", "/login"]
)
def test_every_page_is_whole_and_loads_nothing_from_elsewhere(http, path):
    answer = http.get(path)
    assert answer.status_code == 200
    assert answer.text.count("<main") == answer.text.count("</main>") == 1
    assert answer.text.count("<h1") == 1
    assert not re.findall(r'(?:src|href|action)="(?!/|#)', answer.text)
    assert " style=" not in answer.text
    assert not re.findall(r"<script(?![^>]*\bsrc=)", answer.text)


def test_every_field_has_a_label(http):
    for path in ("/meters", "/meters/M0001", "/events", "/login"):
        text = http.get(path).text
        fields = set(re.findall(r'<(?:input|select)(?![^>]*type="hidden")[^>]* id="([^"]+)"', text))
        assert fields <= set(re.findall(r'<label for="([^"]+)"', text))


def test_the_overview_shows_meters_completeness_and_events(http):
    text = http.get("/").text
    for word in ("registered <b>2</b>", "66.6 %", "Power down", "/meters?state=active"):
        assert word in text


def test_what_a_meter_pushed_is_text_and_never_markup(http):
    text = http.get("/events").text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "<b>x</b>" not in text


def test_a_store_that_refuses_is_said_first(http, head_end):
    head_end.collector.progress.store_error = "no space is left"
    assert "no space is left" in http.get("/").text


def test_the_list_of_meters_is_searched_and_its_part_fetched_alone(http):
    assert "M0001" not in http.get("/meters", params={"q": "0002"}).text
    part = http.get("/meters", params={"q": "0002"}, headers={"HX-Request": "true"}).text
    assert "M0002" in part
    assert "<html" not in part
    assert "No meter matches" in http.get("/meters", params={"q": "zzz"}).text


def test_a_long_list_has_pages(http, head_end):
    from meterway.store.devices import NewDevice

    head_end.store.devices.add_many([NewDevice(serial=f"X{number:03}") for number in range(60)], now_ms=0)
    text = http.get("/meters", params={"q": "X", "page": 2}).text
    assert "51 to 60 of 60 meters" in text
    assert "Page 2 of 2" in text


def test_a_meter_shows_registers_identity_and_energy_of_each_day(http):
    text = http.get("/meters/M0001").text
    for word in ("1\u202f234.560 kWh", "factory-77", "2.400 kWh", "1.5 s", "Read now"):
        assert word in text


def test_a_meter_without_keys_says_so_when_it_is_read(http):
    answer = http.post("/meters/M0001/collect", data=form_of(http), headers={"Accept": "text/html"})
    assert answer.status_code == 502
    assert "has no keys" in answer.text


def test_read_now_shows_its_result_and_the_registers(http, head_end, monkeypatch):
    async def collected(_):
        return {"cause": "ok", "error": "", "values": 96}

    monkeypatch.setattr(head_end, "collect_now", collected)
    part = http.post("/meters/M0001/collect", data=form_of(http), headers={"HX-Request": "true"}).text
    assert "96 values stored" in part
    assert 'id="registers" hx-swap-oob="true"' in part
    assert "Back to the meter" in http.post("/meters/M0001/collect", data=form_of(http)).text


def answering(head_end, monkeypatch, value, **more):
    asked = []

    async def answer(serial, command, *, actor):
        asked.append((command, actor))
        return Answered(obis=command.obis, class_id=3, attribute="value", value=value, **more)

    monkeypatch.setattr(head_end, "read", answer)
    return asked


def test_anything_is_read_by_code_or_name(http, head_end, monkeypatch):
    asked = answering(head_end, monkeypatch, 12.5, unit="kWh")
    fields = {"object": "1.8.0", "attribute": "3", "from": "2026-01-01T00:00", "to": ""}
    text = http.post("/meters/M0001/read", data={**form_of(http), **fields}).text
    assert "12.5 kWh" in text
    command, actor = asked[0]
    assert (command.obis, command.attribute, command.from_s, actor) == (Obis(1, 0, 1, 8, 0), 3, 1767225600.0, "local")


def test_a_profile_is_shown_as_a_table(http, head_end, monkeypatch):
    columns = [{"name": "clock", "unit": ""}, {"name": "active-energy-import", "unit": "Wh"}]
    answering(head_end, monkeypatch, {"columns": columns, "rows": [["2026-01-01T00:00:00Z", 5], [None, "x"], "odd"]})
    text = http.post("/meters/M0001/read", data={**form_of(http), "object": "load-profile"}).text
    assert "active-energy-import (Wh)" in text
    assert "2026-01-01 00:00:00" in text
    assert "3 rows" in text


def test_a_refusal_is_shown_in_the_norms_word(http, head_end, monkeypatch):
    answering(head_end, monkeypatch, None, refusal="read-write-denied")
    assert (
        "refused: read-write-denied" in http.post("/meters/M0001/read", data={**form_of(http), "object": "clock"}).text
    )


@pytest.mark.parametrize("fields", [{"object": "nonsense"}, {}, {"object": "clock", "from": "soon"}])
def test_a_form_that_makes_no_sense_is_told_so(http, fields):
    answer = http.post("/meters/M0001/read", data={**form_of(http), **fields}, headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "notice bad" in answer.text


def test_events_are_chosen_by_meter_and_severity(http):
    assert "No such event" in http.get("/events", params={"severity": "critical"}).text
    assert "Power down" in http.get("/events", params={"serial": "M0001", "severity": "warning"}).text


def test_the_audit_page_checks_the_chain(http, head_end):
    head_end.store.audit.append("anna", "set", time_ms=0, result="ok", device=1, detail="clock 2")
    text = http.get("/audit", params={"verify": "true"}).text
    assert "anna" in text
    assert "1 rows checked" in text


def test_a_day_with_a_missing_interval_has_no_sum():
    channel = CurveChannel(
        obis="", name="", title="Import", unit="Wh", is_cumulative=True, values=[1.0, 2.0, 4.0, None]
    )
    power = CurveChannel(obis="", name="", title="Power", unit="W", is_cumulative=False, values=[1.0] * 4)
    curve = Curve(times_s=[0, 43200, 86400, 129600], period_s=43200, channels=[channel, power])
    assert daily(curve) == [(date(1970, 1, 2), [("Import", "Wh", None)]), (date(1970, 1, 1), [("Import", "Wh", 3.0)])]


@pytest.fixture
def home(head_end):
    """A gateway with a gas meter behind it that has an hourly day."""
    store = head_end.store
    gateway = store.devices.add(NewDevice(serial="LNAP0001", utility="gateway", profile="lnap"), now_ms=1)
    given = NewDevice(serial="MWY-10000001-01-03", utility="gas", profile="mbus-gas", parent=gateway.id)
    gas = store.devices.add(given, now_ms=1)
    column = Column(obis=Obis(7, 0, 3, 0, 0), unit=13, scaler=-3)
    channel = Channel.of(column, np.arange(24) * 120, present=np.ones(24, bool))
    today = int(time.time() // 86400)
    (packed,) = pack_many(batch_of([Block(start_s=(today - 1) * 86400, interval_s=3600, channels=(channel,))]))
    store.blocks.upsert_many([NewBlock(device=gas.id, packed=packed)], now_ms=1)
    return today


@pytest.mark.covers("E-HES-2", "IF-G1")
def test_a_gateway_lists_its_meters_and_each_names_its_gateway(http, home):
    listed = http.get("/meters?q=MWY-1").text
    assert "<td>gas</td>" in listed
    assert 'href="/meters/LNAP0001">LNAP0001</a>' in listed
    gateway = http.get("/meters/LNAP0001").text
    assert 'href="/meters/MWY-10000001-01-03"' in gateway
    assert 'id="curve"' not in gateway
    gas = http.get("/meters/MWY-10000001-01-03").text
    assert 'href="/meters/LNAP0001"' in gas
    assert 'id="curve"' in gas


@pytest.mark.covers("F1a")
def test_a_gas_meter_has_a_curve_of_volumes(http, home):
    days = [(date.fromordinal(719163 + home + shift)).isoformat() for shift in (-1, 0)]
    curve = http.get(f"/api/v1/meters/MWY-10000001-01-03/curve?from={days[0]}&to={days[1]}").json()
    (channel,) = curve["channels"]
    assert (curve["period_s"], channel["unit"], channel["is_cumulative"]) == (3600, "m³", True)
    assert channel["values"] == [0.12] * 23 + [None]


def test_what_is_behind_gateways_does_not_count_as_missing(http, home):
    assert http.get("/api/v1/completeness?days=2").json()[-1]["share"] == pytest.approx(2 / 3 * (1 - 8 / 192), abs=1e-4)


@pytest.mark.covers("IF-H3", "F5c")
def test_the_page_of_a_load_controller_shows_its_relays_and_why(http, head_end):
    given = NewDevice(serial="H0001", profile="home", utility="home", host="127.0.0.1", port=1)
    device = head_end.store.devices.add(given, now_ms=1)
    assert "has not told yet" in http.get("/meters/H0001").text
    relays = [
        RelayState(relay=1, on=True, cause="override", power_w=200),
        RelayState(relay=2, on=False, cause="order", power_w=0),
    ]
    state = LoadState(time_s=1_790_000_000, relays=relays, order="7: all relays off", programme="<PEAK>", consent=True)
    keep_load(head_end.store, device.id, state)
    text = http.get("/meters/H0001").text
    for word in ("overridden by the consumer", "by order", "200 W", "7: all relays off", "&lt;PEAK&gt;", "given by"):
        assert word in text, word
    assert "Load controller" not in http.get("/meters/M0001").text
