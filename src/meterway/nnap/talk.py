"""The concentrator's own association with one meter: scripts that share it, the urgent ones first.

The association stays open between scripts: on a slow medium opening one costs as much as reading a day. What breaks
ends every script that waits, and the next one opens anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from meterway.base.errors import LinkError, MeterwayError
from meterway.stacks.dlms.association import State
from meterway.stacks.dlms.client import (
    ActionDone,
    Associated,
    ClientEvent,
    ClientSettings,
    DlmsClient,
    Failed,
    GetDone,
    GetListDone,
    SetDone,
)
from meterway.stacks.dlms.client.script import Answer, Ask, Script, answer_of, put
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu

__all__ = ["Done", "Talk"]


Done = Callable[[MeterwayError | None, float], None]
"""Told when a script is at its end (None), or why it broke off, and the time."""


@dataclass(slots=True, eq=False)
class _Job:
    script: Script[None]
    urgent: bool
    done: Done
    ask: Ask | None = None


class Talk:
    """Engine of one association; ``framing`` and ``settings`` give what the next one opens with."""

    __slots__ = ("_asked", "_client", "_framing", "_jobs", "_make", "_sent_s", "_settings", "trip_s")

    def __init__(self, framing: Callable[[], StationFraming], settings: Callable[[], ClientSettings]) -> None:
        self._make = framing
        self._framing = framing()
        self._settings = settings
        self._client: DlmsClient | None = None
        self._jobs: list[_Job] = []
        self._asked: _Job | None = None
        self._sent_s = 0.0
        self.trip_s = 0.0
        """How long the last answer took, from the first octet of the question being ready to the last of the answer."""

    @property
    def is_busy(self) -> bool:
        """Whether any script is not at its end."""
        return bool(self._jobs)

    @property
    def is_open(self) -> bool:
        """Whether there is an association."""
        return self._client is not None and self._client.state is State.ASSOCIATED

    def run(self, script: Script[None], done: Done, *, now: float, urgent: bool = False) -> None:
        """Run a script; an urgent one goes between two requests of one that is not."""
        job = _Job(script, urgent, done)
        self._jobs.append(job)
        self._step(job, None, now)
        self._go_on(now)

    def take(self, event: Apdu, now: float) -> None:
        """Take an APDU of the meter."""
        self._framing.take(event)
        self._poke(now)

    def cut(self, reason: str, now: float) -> None:
        """The meter is gone, or an APDU could not be delivered."""
        self._framing.cut(reason)
        self._poke(now)
        if self._client is None and self._jobs:
            self._break(LinkError(reason), now)

    def close(self, now: float) -> None:
        """Forget the association without a word: the next script opens one."""
        self._client = None
        self._break(LinkError("the association was given up"), now)

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return None if self._client is None else self._client.next_timeout()

    def handle_timeout(self, now: float) -> None:
        """Tell it that the time has come."""
        if self._client is not None:
            self._client.handle_timeout(now)
            self._drain(now)

    # -- what goes on -----------------------------------------------------------------------------------------

    def _poke(self, now: float) -> None:
        """Have the client look at its framing."""
        if self._client is not None:
            self._client.receive_data(b"\0", now)
            self._drain(now)

    def _drain(self, now: float) -> None:
        while (client := self._client) is not None and (event := client.next_event()) is not None:
            self._react(event, now)
        self._go_on(now)

    def _react(self, event: ClientEvent, now: float) -> None:
        match event:
            case GetDone() | GetListDone() | SetDone() | ActionDone():
                self._answered(answer_of(event), now)
            case Failed():
                self._client = None
                self._break(event.error, now)
            case Associated():
                pass
            case _:  # a quirk, a push within the association, an association that ended
                pass

    def _answered(self, answer: Answer, now: float) -> None:
        job, self._asked = self._asked, None
        if job is not None:
            self.trip_s = now - self._sent_s
            self._step(job, answer, now)

    def _step(self, job: _Job, answer: Answer | None, now: float) -> None:
        """Give the script its answer and hear what it wants next."""
        try:
            job.ask = next(job.script) if answer is None else job.script.send(answer)
        except StopIteration:
            self._jobs.remove(job)
            job.done(None, now)
        except MeterwayError as error:
            self._jobs.remove(job)
            job.done(error, now)

    def _go_on(self, now: float) -> None:
        if self._asked is not None or not self._jobs:
            return
        if self._client is None:
            self._framing = self._make()  # what the last association left behind is not for this one
            self._client = DlmsClient(self._framing, self._settings())
            self._framing.urgent = any(job.urgent for job in self._jobs)
            self._client.open(now)
            self._drain(now)
            return
        if self._client.state is State.ASSOCIATED:
            job = self._asked = next((job for job in self._jobs if job.urgent), self._jobs[0])
            self._framing.urgent = job.urgent
            self._sent_s = now
            if job.ask is not None:
                put(self._client, job.ask, now)
            self._drain(now)

    def _break(self, error: MeterwayError, now: float) -> None:
        jobs, self._jobs, self._asked = self._jobs, [], None
        for job in jobs:
            job.script.close()
            job.done(error, now)
