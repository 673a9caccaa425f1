"""Engine: one association in which attributes are read one after another; for an energy manager that asks a gateway."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from meterway.base.errors import MeterwayError
from meterway.stacks.dlms.client import Associated, ClientEvent, DlmsClient, Failed, GetDone, Released
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["Answered", "Asking", "Refused"]


@dataclass(frozen=True, slots=True)
class Answered:
    """All that was asked, in order: encoded data, or why there is none."""

    answers: tuple[bytes | DataAccessResult, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The association broke off."""

    error: MeterwayError


class Asking:
    """Associates, reads, releases, and reports once: ``Answered`` or ``Refused``."""

    __slots__ = ("_answers", "_client", "_events", "_wanted", "octets")

    def __init__(self, client: DlmsClient, wanted: Sequence[AttributeDescriptor]) -> None:
        self._client = client
        self._wanted = deque(wanted)
        self._answers: list[bytes | DataAccessResult] = []
        self._events: deque[Answered | Refused] = deque()
        self.octets = 0
        """How many went over the line, both ways."""

    def open(self, now: float) -> None:
        """Begin."""
        self._client.open(now)
        self._react(now)

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that it was closed."""
        self.octets += len(data)
        self._client.receive_data(data, now)
        self._react(now)

    def next_event(self) -> Answered | Refused | None:
        """The report, once."""
        return self._events.popleft() if self._events else None

    def data_to_send(self) -> bytes:
        """All octets that are to go out now."""
        octets = self._client.data_to_send()
        self.octets += len(octets)
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
            case Associated():
                self._ask(now)
            case GetDone():
                self._answers.append(event.result)
                self._ask(now)
            case Released():
                self._events.append(Answered(tuple(self._answers)))
            case Failed():
                self._events.append(Refused(event.error))
            case _:
                pass

    def _ask(self, now: float) -> None:
        if self._wanted:
            self._client.get(self._wanted.popleft(), now=now)
        else:
            self._client.release(now)
