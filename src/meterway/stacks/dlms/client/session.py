"""One association with one device: opened, a script run in it, released, and reported once.

A refusal by the device is a value the script gets, a broken line ends it. There is no task per device and nothing
awaits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from meterway.base.errors import DecodeError, MeterwayError, SecurityError
from meterway.stacks.dlms.client.engine import DlmsClient
from meterway.stacks.dlms.client.events import (
    ActionDone,
    Associated,
    ClientEvent,
    Failed,
    GetDone,
    GetListDone,
    PushReceived,
    Quirk,
    Released,
    SetDone,
)
from meterway.stacks.dlms.client.script import Answer, Ask, GetList, Script, answer_of, put
from meterway.stacks.dlms.xdlms.conformance import Conformance

__all__ = ["MeterSession", "SessionDone", "SessionFailed", "cause_of"]

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class SessionDone(Generic[ResultT]):
    """The script came to its end and the association was released."""

    result: ResultT
    quirks: tuple[Quirk, ...]
    octets: int


@dataclass(frozen=True, slots=True)
class SessionFailed:
    """The session broke off; ``cause`` is a stable word to count by. What the script had stored so far stands."""

    cause: str
    error: MeterwayError
    quirks: tuple[Quirk, ...]
    octets: int


def cause_of(error: MeterwayError) -> str:
    """The stable word an error is counted by: the check that failed, ``decode`` or ``data``."""
    if isinstance(error, SecurityError):
        return error.check
    return "decode" if isinstance(error, DecodeError) else "data"


class MeterSession(Generic[ResultT]):
    """Engine: associate, run ``script``, release. Reports one ``SessionDone`` or ``SessionFailed``.

    A script that never began, because there was no association, may be run by another session.
    """

    __slots__ = ("_client", "_events", "_octets", "_quirks", "_results", "_script", "agreed")

    def __init__(self, client: DlmsClient, script: Script[ResultT]) -> None:
        self._client = client
        self._script: Script[ResultT] | None = script
        self._results: list[ResultT] = []
        self._events: deque[SessionDone[ResultT] | SessionFailed] = deque()
        self._quirks: list[Quirk] = []
        self._octets = 0
        self.agreed: Associated | None = None

    @property
    def octets(self) -> int:
        """How many went over the line so far, both ways."""
        return self._octets

    def open(self, now: float) -> None:
        """Begin; call it when the line is there."""
        self._client.open(now)
        self._react(now)

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""
        self._octets += len(data)
        self._client.receive_data(data, now)
        self._react(now)

    def next_event(self) -> SessionDone[ResultT] | SessionFailed | None:
        """The report, once."""
        return self._events.popleft() if self._events else None

    def data_to_send(self) -> bytes:
        """All octets that are to go out now."""
        octets = self._client.data_to_send()
        self._octets += len(octets)
        return octets

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return self._client.next_timeout()

    def handle_timeout(self, now: float) -> None:
        """Tell the engine that the time has come."""
        self._client.handle_timeout(now)
        self._react(now)

    def _react(self, now: float) -> None:
        while (event := self._client.next_event()) is not None:
            self._take(event, now)

    def _take(self, event: ClientEvent, now: float) -> None:
        match event:
            case GetDone() | GetListDone() | SetDone() | ActionDone():
                self._go_on(answer_of(event), now)
            case Associated():
                self.agreed = event
                self._go_on(None, now)
            case Quirk():
                self._quirks.append(event)
            case PushReceived():
                self._quirks.append(Quirk("push-in-session", "the device pushed within the session"))
            case Released():
                self._finish()
            case Failed():
                self._broke(event.cause, event.error)

    def _go_on(self, answer: Answer, now: float) -> None:
        script = self._script
        if script is None:
            return
        try:
            self._ask(script.send(answer), now)
        except StopIteration as end:
            self._script = None
            self._results.append(end.value)
            self._client.release(now)
        except MeterwayError as error:
            self._broke(cause_of(error), error)
            self._client.release(now)

    def _ask(self, ask: Ask, now: float) -> None:
        if isinstance(ask, GetList) and not self._has_lists:
            self._go_on(None, now)
        else:
            put(self._client, ask, now)

    @property
    def _has_lists(self) -> bool:
        return self.agreed is None or bool(self.agreed.conformance & Conformance.MULTIPLE_REFERENCES)

    def _finish(self) -> None:
        if self._results:
            self._events.append(SessionDone(self._results.pop(), tuple(self._quirks), self._octets))

    def _broke(self, cause: str, error: MeterwayError) -> None:
        if self._results:
            self._quirks.append(Quirk("release-broken", str(error)))
            self._finish()
        elif self._script is not None:
            if self.agreed is not None:
                self._script.close()
            self._script = None
            self._events.append(SessionFailed(cause, error, tuple(self._quirks), self._octets))
