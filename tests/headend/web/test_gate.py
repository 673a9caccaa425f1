"""Who may do what."""

import re

import pytest
from litestar.testing import TestClient

from meterway.headend.web.app import create_app
from meterway.headend.web.gate import COOKIE, Gate, is_loopback
from meterway.headend.web.tokens import Tokens

pytestmark = pytest.mark.covers("SEC-09", "SEC-11")

SET = {"object": "clock", "value": "now"}
COMMANDS = ("read", "set", "act", "collect", "objects")


def proof_of(text):
    return re.search(r'"X-CSRF-Token": "([0-9a-f]{64})"', text).group(1)


@pytest.fixture
def away(head_end):
    """The same pages, served to others."""
    app = create_app(head_end, host="192.0.2.1")
    with TestClient(app, base_url="http://meters.example", raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("meters", False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(host, expected):
    assert is_loopback(host) is expected


def test_on_loopback_pages_are_read_without_a_token(http):
    assert http.get("/meters").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "localhost@evil.example:80"])
def test_on_loopback_another_host_name_is_not_answered(http, host):
    assert http.get("/api/v1/meters", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "localhost:8480", "127.0.0.1:1", "[::1]:8480"])
def test_on_loopback_its_own_names_are_answered(http, host):
    assert http.get("/api/v1/meters", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_without_token_or_proof_is_refused(http, command):
    assert http.post(f"/api/v1/meters/M0001/{command}", json=SET).status_code == 403


def test_an_import_without_token_or_proof_is_refused(http):
    assert http.post("/api/v1/meters/import", content="serial,host,port\nX,a,1\n").status_code == 403


def test_a_wrong_token_is_refused_even_where_none_is_needed(http):
    answer = http.get("/", headers={"Authorization": "Bearer mw_guess"})
    assert answer.status_code == 401
    assert http.get("/", headers={"Authorization": "Basic eDp5"}).status_code == 401


def test_a_page_proves_its_commands(http):
    proof = proof_of(http.get("/meters/M0001").text)
    assert http.post("/api/v1/meters/M0001/collect", headers={"X-CSRF-Token": proof}).status_code == 502
    assert http.post("/meters/M0001/collect", data={"csrf": proof}).status_code == 502


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
def test_a_proof_from_a_page_of_another_site_is_refused(http, headers):
    proof = proof_of(http.get("/meters/M0001").text)
    answer = http.post("/api/v1/meters/M0001/collect", headers={"X-CSRF-Token": proof, **headers})
    assert answer.status_code == 403
    assert "another site" in answer.json()["detail"]


def test_a_proof_of_another_server_is_refused(http, head_end):
    other = Gate("127.0.0.1", Tokens(None)).proof(None)
    assert http.post("/api/v1/meters/M0001/collect", headers={"X-CSRF-Token": other}).status_code == 403


def test_a_program_with_a_token_needs_no_proof_and_is_named_in_the_audit(http, bearer):
    http.post("/api/v1/meters/M0001/collect", headers=bearer)
    rows = http.get("/api/v1/audit").json()
    assert (rows[0]["actor"], rows[0]["action"], rows[0]["result"]) == ("anna", "collect", "key")


@pytest.mark.parametrize("path", ["/api/v1/meters", "/metrics", "/live", "/schema/openapi.json"])
def test_beyond_loopback_programs_need_a_token(away, path):
    answer = away.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_beyond_loopback_a_token_is_enough(away, bearer):
    assert away.get("/api/v1/meters", headers=bearer).status_code == 200


def test_beyond_loopback_people_are_led_to_the_login(away):
    answer = away.get("/meters", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "Token" in away.get("/login").text


def test_who_logs_in_gets_a_session_that_scripts_and_other_sites_cannot_use(away, token):
    answer = away.post("/login", data={"token": token}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 303
    assert token not in answer.headers["set-cookie"]
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "Log out anna" in away.get("/").text


def test_a_session_still_proves_its_commands(away, token):
    away.post("/login", data={"token": token}, follow_redirects=False)
    assert away.post("/api/v1/meters/M0001/collect").status_code == 403
    proof = proof_of(away.get("/meters/M0001").text)
    assert away.post("/api/v1/meters/M0001/collect", headers={"X-CSRF-Token": proof}).status_code == 502
    assert away.get("/api/v1/audit").json()[0]["actor"] == "anna"


def test_who_logs_out_is_nobody(away, token):
    away.post("/login", data={"token": token}, follow_redirects=False)
    session = away.cookies[COOKIE]
    away.post("/logout", data={"csrf": proof_of(away.get("/").text)}, follow_redirects=False)
    away.cookies.set(COOKIE, session)
    assert away.get("/api/v1/meters").status_code == 401


def test_a_wrong_token_begins_no_session(away):
    answer = away.post("/login", data={"token": "mw_guess"})
    assert answer.status_code == 401
    assert "not known" in answer.text
    assert "set-cookie" not in answer.headers


def test_a_login_from_another_site_is_refused(away, token):
    assert away.post("/login", data={"token": token}, headers={"Origin": "http://evil.example"}).status_code == 403


def test_a_session_ends_by_itself(tmp_path, token):
    now = 0.0
    gate = Gate("192.0.2.1", Tokens(tmp_path / "tokens"), clock=lambda: now)
    session = gate.begin(token, is_secure=True)
    assert session.secure
    assert gate._session_name(session.value) == "anna"
    now = 13 * 3600.0
    assert gate._session_name(session.value) is None


def test_many_logins_push_out_the_oldest_session_only(tmp_path, token):
    gate = Gate("192.0.2.1", Tokens(tmp_path / "tokens"))
    sessions = [gate.begin(token, is_secure=False).value for _ in range(1001)]
    assert [gate._session_name(session) for session in (sessions[0], sessions[1], sessions[-1])] == [
        None,
        "anna",
        "anna",
    ]
