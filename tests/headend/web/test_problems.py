"""Errors as answers."""

import pytest
from litestar.exceptions import NotFoundException, ValidationException

from meterway.base.errors import (
    ConfigError,
    DecodeError,
    LinkError,
    LocalProtocolError,
    RemoteProtocolError,
    SecurityError,
    StoreError,
)
from meterway.headend.api import UnknownMeterError
from meterway.headend.web.problems import problem_of


@pytest.mark.parametrize(
    ("error", "status", "cause"),
    [
        (UnknownMeterError("there is no meter 'X'"), 404, ""),
        (ConfigError("'x' is not an OBIS code"), 422, ""),
        (LocalProtocolError("a long is no octet-string"), 422, ""),
        (LinkError("refused"), 502, "link"),
        (SecurityError("wrong key", "tag"), 502, "tag"),
        (DecodeError("cut off", 3), 502, "decode"),
        (RemoteProtocolError("another invoke id"), 502, "protocol"),
        (StoreError("x: no space is left for the database"), 507, "store"),
        (StoreError("x: locked"), 503, "store"),
        (NotFoundException("nothing here"), 404, ""),
        (KeyError("secret"), 500, ""),
    ],
)
def test_every_error_has_its_status_and_cause(error, status, cause):
    problem = problem_of(error)
    assert (problem.status, problem.cause) == (status, cause)
    assert problem.title != "Error"


def test_an_unexpected_error_keeps_its_words_to_itself():
    assert "secret" not in problem_of(KeyError("secret")).detail


def test_what_is_wrong_where_is_said():
    error = ValidationException(extra=[{"key": "limit", "message": "Expected `int` <= 1000"}])
    assert problem_of(error).errors == ["limit: Expected `int` <= 1000"]
    assert problem_of(error).status == 422


def test_an_unexpected_error_shows_no_traceback(http, head_end, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("inner words")

    monkeypatch.setattr(head_end.store.devices, "search", broken)
    for accept in ("application/json", "text/html"):
        answer = http.get("/meters", headers={"Accept": accept})
        assert answer.status_code == 500
        assert "inner words" not in answer.text
        assert "Traceback" not in answer.text
    assert "GET /meters failed" in caplog.text


def test_people_get_a_page_and_programs_get_problem_json(http):
    page = http.get("/meters/M9999", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "<h1>Not Found</h1>" in page.text
    assert "there is no meter" in page.text
    assert http.get("/api/v1/meters/M9999").headers["content-type"] == "application/problem+json"


def test_a_part_of_a_page_shows_its_problem_in_place(http):
    answer = http.post("/meters/M0001/collect", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "notice bad" in answer.text
