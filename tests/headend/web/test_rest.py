"""What the REST API tells of the head end."""

from datetime import UTC, date, datetime, timedelta

import pytest

from meterway.headend.web.rest import day_range

pytestmark = pytest.mark.covers("F1a", "F1b", "SEC-11")

HEADER = "serial,host,port,guek,gak\n"
KEYS = f"{'11' * 16},{'22' * 16}"


def test_the_overview_tells_meters_states_and_completeness(http):
    overview = http.get("/api/v1/overview").json()
    assert overview["meters"] == 3
    assert overview["states"] == {"active": 1, "registered": 2}
    assert [day["share"] for day in overview["days"]] == pytest.approx(
        [2 / 3, 2 / 3, (2 * 96 - 8) / (3 * 96)], abs=1e-5
    )
    assert {event["severity"] for event in overview["events"]} == {"warning"}


def test_completeness_is_told_by_day(http, today):
    rows = http.get("/api/v1/completeness", params={"days": 1}).json()
    assert [row["day"] for row in rows] == [str(today.date() - timedelta(days=1))]


def test_meters_are_found_by_part_of_their_serial_and_state(http):
    assert http.get("/api/v1/meters", params={"search": "m000"}).json()["total"] == 3
    found = http.get("/api/v1/meters", params={"state": "active", "limit": 1}).json()
    assert [row["serial"] for row in found["items"]] == ["M0001"]
    assert http.get("/api/v1/meters", params={"limit": 1, "offset": 2}).json()["items"][0]["serial"] == "M0003"


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 1001}, {"offset": -1}, {"limit": "many"}])
def test_a_page_out_of_range_is_refused_with_the_name_of_what_is_wrong(http, params):
    answer = http.get("/api/v1/meters", params=params)
    assert answer.status_code == 422
    assert next(iter(params)) in answer.json()["errors"][0]


def test_a_meter_is_told_with_registers_events_contacts_and_identity(http):
    meter = http.get("/api/v1/meters/M0001").json()
    register = meter["registers"][0]
    assert (register["value"], register["unit"], register["name"]) == ("1234560", "Wh", "active-energy-import")
    assert "factory-77" in meter["identity"].values()
    assert (meter["contacts"][0]["quirks"], meter["contacts"][0]["clock_offset_s"]) == (["tagged-date-time"], 1.5)
    assert [event["source"] for event in meter["events"]] == ["push", "read"]
    assert meter["next_contact"]


@pytest.mark.parametrize("path", ["", "/curve", "/gaps"])
def test_an_unknown_meter_is_not_found(http, path):
    answer = http.get(f"/api/v1/meters/M9999{path}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is no meter 'M9999'"


def test_the_curve_gives_energy_by_interval(http, today):
    day = today.date() - timedelta(days=2)
    curve = http.get("/api/v1/meters/M0001/curve", params={"from": str(day), "to": str(day + timedelta(days=1))}).json()
    assert curve["period_s"] == 900
    assert len(curve["times_s"]) == 96
    assert curve["times_s"][0] == int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    assert [channel["name"] for channel in curve["channels"]] == ["active-energy-import", "active-energy-export"]
    assert curve["channels"][0]["values"] == [25.0] * 96


def test_gaps_are_told_up_to_now(http, today):
    day = today.date() - timedelta(days=1)
    gaps = http.get("/api/v1/meters/M0002/gaps", params={"from": str(day), "to": str(day + timedelta(days=1))}).json()
    assert gaps == [{"from_time": f"{day}T10:00:00Z", "to_time": f"{day}T12:00:00Z"}]


@pytest.mark.parametrize(
    "params",
    [{"from": "2026-01-02", "to": "2026-01-02"}, {"from": "2020-01-01", "to": "2026-01-02"}, {"from": "yesterday"}],
)
def test_a_range_that_is_none_is_refused(http, params):
    assert http.get("/api/v1/meters/M0001/curve", params=params).status_code == 422


def test_a_range_left_out_is_the_last_week():
    first, last = day_range(None, None)
    assert (last - first).days == 7
    assert day_range(None, date(1, 1, 2))[1] == date(1, 1, 2)


def test_events_and_audit_are_told_of_one_meter_or_all(http, head_end):
    head_end.store.audit.append("anna", "set", time_ms=0, result="ok", device=2, detail="clock")
    assert len(http.get("/api/v1/events").json()) == 2
    assert http.get("/api/v1/events", params={"serial": "M0002"}).json() == []
    assert http.get("/api/v1/events", params={"serial": "M9999"}).status_code == 404
    assert http.get("/api/v1/audit", params={"serial": "M0002"}).json()[0]["detail"] == "clock"
    assert http.get("/api/v1/audit", params={"serial": "M0001"}).json() == []


def test_the_audit_log_is_verified_and_an_altered_row_found(http, head_end):
    for action in ("set", "act"):
        head_end.store.audit.append("anna", action, time_ms=0, result="ok")
    assert http.get("/api/v1/audit/verification").json() == {"rows": 2}
    head_end.store.session.change("DROP TRIGGER audit_kept_update")
    head_end.store.session.change("UPDATE audit SET actor = 'eve' WHERE id = 1")
    assert "row 1 was altered" in http.get("/api/v1/audit/verification").json()["detail"]


# -- commands ---------------------------------------------------------------------------------------------------------


# -- import -----------------------------------------------------------------------------------------------------------
