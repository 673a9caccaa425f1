"""What a script wants is asked of the client as it stands, and what came back is what it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from meterway.base.obis import Obis
from meterway.stacks.dlms.client import ActionDone, GetDone, GetListDone, SetDone
from meterway.stacks.dlms.client.script import Act, Get, GetList, Set, answer_of, put
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

CLOCK = AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2)
RESET = MethodDescriptor(3, Obis(1, 0, 1, 8, 0), 1)
PART = Selection(1, b"\x00")


class Client:
    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *values, now: self.asked.append((name, *values, now))


@pytest.mark.parametrize(
    ("ask", "asked"),
    [
        (Get(CLOCK, PART), ("get", CLOCK, PART, 3.0)),
        (GetList(((CLOCK, None),)), ("get_list", ((CLOCK, None),), 3.0)),
        (Set(CLOCK, b"\x00", PART), ("set", ((CLOCK, PART),), (b"\x00",), 3.0)),
        (Act(RESET, b"\x0f\x00"), ("act", RESET, b"\x0f\x00", 3.0)),
    ],
)
def test_an_ask_is_put_to_the_client_whole(ask: Any, asked: tuple[Any, ...]) -> None:
    client = Client()
    put(client, ask, 3.0)  # type: ignore[arg-type]
    assert client.asked == [asked]


def test_the_answer_is_what_the_event_carries() -> None:
    refused = DataAccessResult.OBJECT_UNDEFINED
    outcome = ActionOutcome(ActionResult.SUCCESS)
    assert answer_of(GetDone(1, b"\x00")) == b"\x00"
    assert answer_of(GetListDone(1, (b"\x00", refused))) == (b"\x00", refused)
    assert answer_of(SetDone(1, (refused,))) is refused
    assert answer_of(ActionDone(1, outcome)) is outcome
