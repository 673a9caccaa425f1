"""What a client engine reports. ``request`` is the number that the call returned."""

from __future__ import annotations

from dataclasses import dataclass

from meterway.base.errors import MeterwayError
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.notification import DataNotification, EventNotification
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = [
    "ActionDone",
    "ActionListDone",
    "Associated",
    "ClientEvent",
    "Failed",
    "GetDone",
    "GetListDone",
    "PushReceived",
    "Quirk",
    "Released",
    "SetDone",
]


@dataclass(frozen=True, slots=True)
class Associated:
    """The association is open and both sides are proven as far as its mechanism goes."""

    server_title: bytes
    conformance: Conformance
    max_pdu: int


@dataclass(frozen=True, slots=True)
class GetDone:
    """One attribute: its encoded value or why there is none; ``received`` counts the octets of its answers."""

    request: int
    result: bytes | DataAccessResult
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class GetListDone:
    """Several attributes, one result each, in the order asked."""

    request: int
    results: tuple[bytes | DataAccessResult, ...]


@dataclass(frozen=True, slots=True)
class SetDone:
    """Whether each attribute was written."""

    request: int
    results: tuple[DataAccessResult, ...]


@dataclass(frozen=True, slots=True)
class ActionDone:
    """What the method gave."""

    request: int
    outcome: ActionOutcome


@dataclass(frozen=True, slots=True)
class ActionListDone:
    """What each of several methods gave, in the order called."""

    request: int
    outcomes: tuple[ActionOutcome, ...]


@dataclass(frozen=True, slots=True)
class PushReceived:
    """The server sent something unasked on this association."""

    apdu: DataNotification | EventNotification


@dataclass(frozen=True, slots=True)
class Quirk:
    """A deviation from the norm that was survived; ``kind`` is a stable word to count by."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Released:
    """The association and the link are closed as asked."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The association is over; ``cause`` is a stable word to count by, ``error`` the whole story."""

    cause: str
    error: MeterwayError


ClientEvent = (
    Associated
    | GetDone
    | GetListDone
    | SetDone
    | ActionDone
    | ActionListDone
    | PushReceived
    | Quirk
    | Released
    | Failed
)
