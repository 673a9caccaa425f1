"""What is asked of a load controller besides."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from headend.headends import play
from headend.test_load_state import told
from meterway.headend.collect import Collected
from meterway.headend.load_reading import has_loads, with_load
from meterway.stacks.dlms.client.script import GetList
from meterway.stacks.dlms.xdlms.results import DataAccessResult

pytestmark = pytest.mark.covers("IF-H3", "F5c")


def nothing(into: Collected) -> Generator[Any, Any, Collected]:
    yield from ()
    return into


def test_only_load_controllers_are_asked_for_relays() -> None:
    assert has_loads("home")
    assert not any(has_loads(profile) for profile in ("", "idis", "nnap", "unheard-of"))


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (tuple(told()), 0),
        ((*told()[:3], DataAccessResult.READ_WRITE_DENIED), 1),
        ((b"\x00", *told()[1:]), 1),
        (None, 1),
    ],
    ids=["all", "a refusal among them", "nonsense", "no such service"],
)
def test_relays_are_asked_in_one_request_and_nonsense_changes_nothing(answer: object, refused: int) -> None:
    into = Collected()
    asked, _ = play(with_load(nothing(into), into, lambda: 5.0), answer)
    assert isinstance(asked[0], GetList)
    assert len(asked[0].items) == 4
    assert (into.load is None, len(into.refusals)) == (bool(refused), refused)
