"""A conversation with a device, written as a generator: a script.

A script yields what it wants (``Get``, ``GetList``, ``Set``, ``Act``) and is sent what came of it; a refusal by the
device is a value it gets. Whoever drives it hands what it wants to a client with ``put`` and what came back to the
script with ``answer_of``.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from meterway.stacks.dlms.client.engine import DlmsClient
from meterway.stacks.dlms.client.events import ActionDone, GetDone, GetListDone, SetDone
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.get import Item
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["Act", "Answer", "Ask", "Get", "GetList", "Script", "Set", "answer_of", "put"]

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Get:
    """Read one attribute; the answer is encoded data or a refusal."""

    attribute: AttributeDescriptor
    selection: Selection | None = None


@dataclass(frozen=True, slots=True)
class GetList:
    """Read several attributes in one request; a tuple of data or refusals, None if the device has no such service."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Set:
    """Write one attribute; the answer is a DataAccessResult."""

    attribute: AttributeDescriptor
    value: bytes
    selection: Selection | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """Call one method; the answer is an ActionOutcome."""

    method: MethodDescriptor
    parameters: bytes | None = None


Ask = Get | GetList | Set | Act
Answer = bytes | DataAccessResult | tuple[bytes | DataAccessResult, ...] | ActionOutcome | None
Script = Generator[Ask, Answer, ResultT]


def put(client: DlmsClient, ask: Ask, now: float) -> None:
    """Have an associated client ask what a script wants."""
    match ask:
        case Get():
            client.get(ask.attribute, ask.selection, now=now)
        case GetList():
            client.get_list(ask.items, now=now)
        case Set():
            client.set(((ask.attribute, ask.selection),), (ask.value,), now=now)
        case Act():
            client.act(ask.method, ask.parameters, now=now)


def answer_of(event: GetDone | GetListDone | SetDone | ActionDone) -> Answer:
    """What a script is sent for what came back."""
    match event:
        case GetDone():
            return event.result
        case GetListDone():
            return event.results
        case SetDone():
            return event.results[0]
        case ActionDone():
            return event.outcome
