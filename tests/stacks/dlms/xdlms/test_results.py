"""The words a server answers with instead of data."""

from __future__ import annotations

import pytest
from hypothesis import given

import dlms_wire as wire
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

pytestmark = pytest.mark.covers("IF-I")


@given(wire.octet)
def test_every_octet_is_a_result_and_keeps_its_number(code: int) -> None:
    for kind in (DataAccessResult, ActionResult):
        assert (kind(code), int(kind(code))) == (code, code)
        assert kind(code).word == kind(code).word.lower()


def test_results_have_the_words_of_the_norm() -> None:
    assert DataAccessResult(19).word == "data-block-number-invalid"
    assert ActionResult(15).word == "long-action-aborted"
    assert ActionResult(99).word == "unknown-99"


@pytest.mark.parametrize("code", [-1, 256, "success"])
def test_what_is_no_octet_is_no_result(code: object) -> None:
    with pytest.raises(ValueError, match="not a valid"):
        DataAccessResult(code)
