"""Commands of the REST API."""

from datetime import datetime

import pytest

from meterway.base.errors import ConfigError, LinkError, SecurityError, StoreError
from meterway.base.obis import Obis
from meterway.headend.commands import Answered
from meterway.headend.web.commands import command_of

pytestmark = pytest.mark.covers("F1a", "F1b", "SEC-11")

HEADER = "serial,host,port,guek,gak\n"
KEYS = f"{'11' * 16},{'22' * 16}"


@pytest.fixture
def commanded(head_end, monkeypatch):
    """What a meter was asked, and an answer to every command."""
    asked = []

    def answering(action):
        async def answer(serial, command, *, actor, **_):
            asked.append((action, serial, command, actor))
            return Answered(obis=command.obis, class_id=3, attribute="value", value=12.5, unit="kWh", quirks=("odd",))

        return answer

    for action in ("read", "set", "act"):
        monkeypatch.setattr(head_end, action, answering(action))
    return asked


@pytest.mark.parametrize("command", ["read", "set", "act", "collect", "objects"])
def test_a_command_to_an_unknown_meter_is_not_found(http, bearer, command):
    body = {"object": "clock", "method": 1} if command == "act" else {"object": "clock"}
    answer = http.post(f"/api/v1/meters/M9999/{command}", json=body, headers=bearer)
    assert answer.status_code == 404


def test_a_read_names_what_it_reads_as_people_do(http, bearer, commanded):
    body = {"object": "active-energy-import", "attribute": "value", "from": "2026-01-01T00:00:00", "to": None}
    answer = http.post("/api/v1/meters/M0001/read", json=body, headers=bearer)
    assert answer.json() == {
        "ok": True, "obis": "1-0:1.8.0*255", "name": "active-energy-import", "class": 3, "attribute": "value",
        "value": 12.5, "unit": "kWh", "refusal": None, "quirks": ["odd"], "age_s": None,
    }  # fmt: skip
    action, serial, command, actor = commanded[0]
    assert (action, serial, actor) == ("read", "M0001", "anna")
    assert (command.obis, command.from_s, command.to_s) == (Obis(1, 0, 1, 8, 0), 1767225600.0, None)


def test_a_set_and_an_act_reach_the_meter_with_their_values(http, bearer, commanded):
    http.post("/api/v1/meters/M0001/set", json={"object": "clock", "value": "now"}, headers=bearer)
    http.post(
        "/api/v1/meters/M0001/act", json={"object": "0.0.96.3.10.255", "method": 1, "value": {"a": [1]}}, headers=bearer
    )
    assert [(asked[0], asked[2].value) for asked in commanded] == [("set", "now"), ("act", {"a": [1]})]
    assert commanded[1][2].method == 1


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"object": "nonsense-name"}, "nonsense-name"),
        ({}, "object"),
        ({"object": "clock", "colour": 1}, "colour"),
        ({"object": "clock", "class_id": "x"}, "class_id"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_before_the_meter_is_called(http, bearer, commanded, body, word):
    answer = http.post("/api/v1/meters/M0001/read", json=body, headers=bearer)
    assert answer.status_code == 422
    assert word in answer.text
    assert commanded == []


@pytest.mark.parametrize(
    ("error", "status", "cause"),
    [
        (LinkError("refused"), 502, "link"),
        (SecurityError("x", "tag"), 502, "tag"),
        (ConfigError("no attribute"), 422, ""),
        (StoreError("x: no space is left for the database"), 507, "store"),
    ],
)
def test_a_command_that_fails_says_why(http, head_end, bearer, monkeypatch, error, status, cause):
    async def failing(*_, **__):
        raise error

    monkeypatch.setattr(head_end, "read", failing)
    answer = http.post("/api/v1/meters/M0001/read", json={"object": "clock"}, headers=bearer)
    assert (answer.status_code, answer.json()["cause"]) == (status, cause)


@pytest.mark.covers("SEC-10", "UC-EV-04")
def test_a_meter_that_cannot_be_reached_is_a_failed_command_in_the_audit(http, bearer):
    add = f"{HEADER}N1,127.0.0.1,1,{KEYS}\n".encode()
    assert http.post("/api/v1/meters/import", content=add, headers=bearer).json()["added"] == 1
    answer = http.post("/api/v1/meters/N1/set", json={"object": "clock", "value": "now"}, headers=bearer)
    assert (answer.status_code, answer.json()["cause"]) == (502, "link")
    row = http.get("/api/v1/audit").json()[0]
    assert (row["actor"], row["action"], row["serial"], row["result"]) == ("anna", "set", "N1", "link")


def test_a_collection_out_of_turn_tells_its_values(http, head_end, bearer, monkeypatch):
    async def collected(_):
        return {"cause": "ok", "error": "", "values": 96}

    monkeypatch.setattr(head_end, "collect_now", collected)
    assert http.post("/api/v1/meters/M0001/collect", headers=bearer).json() == {"values": 96}
    assert http.get("/api/v1/audit").json()[0]["result"] == "ok"


def test_a_collection_that_fails_says_the_cause(http, bearer):
    problem = http.post("/api/v1/meters/M0001/collect", headers=bearer).json()
    assert (problem["status"], problem["cause"]) == (502, "key")


def test_a_store_that_is_full_is_told_apart_from_a_meter_that_fails(http, head_end, bearer, monkeypatch):
    async def full(_):
        return {"cause": "store", "error": "no space is left", "values": 0}

    monkeypatch.setattr(head_end, "collect_now", full)
    assert http.post("/api/v1/meters/M0001/collect", headers=bearer).status_code == 507


def test_the_objects_of_a_meter_are_named(http, head_end, bearer, monkeypatch):
    async def objects(_):
        return [(8, 0, Obis(0, 0, 1, 0, 0))]

    monkeypatch.setattr(head_end, "objects", objects)
    rows = http.post("/api/v1/meters/M0001/objects", headers=bearer).json()
    assert rows == [{"obis": "0-0:1.0.0*255", "name": "clock", "class_id": 8, "version": 0}]


def test_an_import_adds_good_lines_and_names_the_others(http, bearer):
    text = f"{HEADER}N1,10.0.0.1,4059,{KEYS}\nM0001,10.0.0.1,4059,{KEYS}\nN2,10.0.0.1,port,{KEYS}\n"
    answer = http.post("/api/v1/meters/import", content=text.encode("utf-8-sig"), headers=bearer)
    assert answer.status_code == 200
    assert answer.json()["added"] == 1
    assert [error.split(":")[0] for error in answer.json()["errors"]] == ["import line 3", "import line 4, port"]
    assert http.get("/api/v1/meters/N1").json()["has_keys"]
    assert http.get("/api/v1/audit").json()[0]["action"] == "import"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"name\nx\n", "unknown column"),
        (b"", "no header line"),
    ],
)
def test_a_file_that_is_no_list_of_meters_is_refused(http, bearer, content, word):
    answer = http.post("/api/v1/meters/import", content=content, headers=bearer)
    assert answer.status_code == 422
    assert word in answer.json()["detail"]


def test_a_moment_without_a_zone_is_utc():
    assert command_of("clock", from_time=datetime(1970, 1, 2)).from_s == 86400.0  # noqa: DTZ001


@pytest.mark.covers("E-HES-2", "IF-G1")
def test_gateways_are_told_to_couple_to_decouple_and_to_give_new_keys(http, head_end, bearer, monkeypatch):
    asked = []

    def answering(action):
        async def answer(*given, actor, **named):
            asked.append((action, given, named))
            return Answered(obis=Obis(0, 3, 24, 1, 0), class_id=72, attribute=action)

        return answer

    for action in ("couple", "decouple", "transfer_key"):
        monkeypatch.setattr(head_end, action, answering(action))
    body = {"channel": 3, "address": "MWY-10000001-01-03", "key": "11" * 16}
    assert http.post("/api/v1/meters/M0001/couple", json=body, headers=bearer).json()["ok"]
    assert http.post("/api/v1/meters/M0002/decouple", headers=bearer).json()["ok"]
    assert http.post("/api/v1/meters/M0002/key", json={"new": "22" * 16}, headers=bearer).json()["ok"]
    assert asked == [
        ("couple", ("M0001", 3), {"address": "MWY-10000001-01-03", "primary": 0, "key": b"\x11" * 16}),
        ("decouple", ("M0002",), {}),
        ("transfer_key", ("M0002",), {"new": b"\x22" * 16, "present": b""}),
    ]


@pytest.mark.parametrize("key", ["12", "nonsense", "11" * 17])
def test_a_key_that_is_none_is_refused_and_not_repeated(http, bearer, key):
    answer = http.post("/api/v1/meters/M0001/key", json={"new": key}, headers=bearer)
    assert answer.status_code in (400, 422)
    assert "32 hex digits" in answer.json()["detail"]
    assert key not in answer.text


def test_a_meter_behind_no_gateway_cannot_be_decoupled(http, bearer):
    answer = http.post("/api/v1/meters/M0001/decouple", headers=bearer)
    assert answer.status_code in (400, 422)
    assert "behind no gateway" in answer.json()["detail"]
