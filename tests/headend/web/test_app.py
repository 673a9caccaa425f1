"""The whole application: headers, description, and requests made up from the description."""

import re
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from meterway.headend import web
from meterway.headend.commands import Answered
from meterway.headend.web.app import create_app

pytestmark = pytest.mark.covers("SEC-11")

STATIC = Path(web.__file__).parent / "static"


@pytest.mark.parametrize("path", ["/", "/api/v1/meters", "/nowhere", "/static/app.css", "/metrics"])
def test_every_answer_tells_browsers_to_load_nothing_from_elsewhere(http, path):
    headers = http.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_answers_are_not_kept_but_static_files_are(http):
    assert http.get("/api/v1/meters").headers["cache-control"] == "no-store"
    assert "max-age" in http.get("/static/app.css").headers["cache-control"]


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"])
def test_only_static_files_are_served(http, path):
    answer = http.get(path)
    assert answer.status_code == 404
    assert "create_app" not in answer.text


def test_what_is_vendored_has_its_licence_beside_it():
    names = {path.name.split("-")[0] for path in (STATIC / "vendor").glob("*-*")}
    assert names == {path.stem for path in (STATIC / "vendor").glob("*.LICENSE")} == {"htmx", "uPlot"}


def test_scripts_and_styles_name_no_other_host():
    for path in STATIC.glob("app.*"):
        assert not re.findall(r"https?://", path.read_text("utf-8"))


def test_a_method_that_is_not_there_is_told_so(http):
    assert http.delete("/api/v1/meters").status_code == 405


def test_the_description_knows_every_command_and_its_token(http):
    description = http.get("/schema/openapi.json").json()
    assert {"/api/v1/meters/{serial}/read", "/api/v1/meters/import", "/api/v1/audit"} <= set(description["paths"])
    assert description["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    responses = description["paths"]["/api/v1/meters/{serial}/read"]["post"]["responses"]
    assert {"200", "401", "403", "404", "422", "502", "507"} <= set(responses)


# -- requests made up from the description ----------------------------------------------------------------------------

CHOSEN = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def description(head_end, monkeypatch):
    async def answer(serial, command, *, actor, **_):
        return Answered(obis=command.obis, class_id=1, attribute="value", value=command.value)

    for action in ("read", "set", "act"):
        monkeypatch.setattr(head_end, action, answer)
    headers = {"Host": "127.0.0.1"}
    return schemathesis.openapi.from_asgi("/schema/openapi.json", create_app(head_end), headers=headers)


def test_no_request_made_up_from_the_description_breaks_the_server(description, bearer):
    operations = [result.ok() for result in description.get_all_operations()]
    assert len(operations) == 30

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def run(data):
        operation = data.draw(st.sampled_from(operations))
        case = data.draw(operation.as_strategy())
        if "serial" in case.path_parameters and data.draw(st.booleans()):
            case.path_parameters["serial"] = "M0001"
        answer = case.call(headers={**bearer, "Host": "127.0.0.1"})
        assert answer.status_code != 500, answer.text
        case.validate_response(answer, checks=CHOSEN)

    run()
