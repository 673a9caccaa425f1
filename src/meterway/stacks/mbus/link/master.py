"""The master of a wired bus as an engine: it runs one procedure at a time over an octet stream (EN 13757-2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.engine import QueuingEngine
from meterway.base.errors import LinkError, LocalProtocolError, MeterwayError
from meterway.stacks.mbus.link.deframer import Deframer, Noise
from meterway.stacks.mbus.link.exchange import Answer, Ask, Found, LineSpeed, Procedure, Progress, heard
from meterway.stacks.mbus.link.frames import Frame
from meterway.stacks.mbus.link.procedures import CountBits

__all__ = ["Done", "Failed", "Master", "MasterEvent"]

_BITS_PER_OCTET: Final = 11
_ANSWER_BITS: Final = 330
_ANSWER_EXTRA_S: Final = 0.05
_GAP_BITS: Final = 33


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The procedure ended; ``result`` is what it returned."""

    result: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The procedure gave up."""

    error: MeterwayError


MasterEvent = Done | Failed | Found | LineSpeed


class Master(QueuingEngine[MasterEvent]):
    """Runs procedures; ``bits`` are the frame count bits to hand to them.

    ``latency_s`` is added to every wait (a TCP converter, a busy machine). With ``echo`` the line gives back what was
    sent, and that much is dropped.
    """

    def __init__(self, *, baud: int = 2400, latency_s: float = 0.05, echo: bool = False) -> None:
        super().__init__()
        self.bits = CountBits()
        self.baud = baud
        self._latency_s = latency_s
        self._echo = echo
        self._procedure: Procedure[object] | None = None
        self._deframer = Deframer()
        self._frames: list[Frame | bytes] = []
        self._to_drop = b""
        self._until: float | None = None

    @property
    def busy(self) -> bool:
        """Whether a procedure is running."""
        return self._procedure is not None

    def start(self, procedure: Procedure[object], now: float) -> None:
        """Run a procedure; LocalProtocolError if one is running. ``Done`` or ``Failed`` follows."""
        if self._procedure is not None:
            raise LocalProtocolError("the bus is busy with another procedure")
        self._procedure = procedure
        self._step(None, now)

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""
        if not data:
            self._give_up(LinkError("the line was closed"))
            return
        if self._to_drop:
            count = 0
            limit = min(len(data), len(self._to_drop))
            while count < limit and data[count] == self._to_drop[count]:
                count += 1
            self._to_drop = self._to_drop[count:] if count == limit else b""
            data = data[count:]
            if not data:
                return
        if self._until is None:
            return
        for part in self._deframer.receive(data):
            self._frames.append(part.octets if isinstance(part, Noise) else part)
        self._until = now + self._gap_s()

    def next_timeout(self) -> float | None:
        """When the answer must have begun, or when the line counts as quiet."""
        return self._until

    def handle_timeout(self, now: float) -> None:
        """The line is quiet: sum up what came and go on."""
        if self._until is None or now < self._until:
            return
        for part in self._deframer.flush():
            self._frames.append(part.octets if isinstance(part, Noise) else part)
        answer = heard(self._frames)
        self._until = None
        self._frames = []
        self._step(answer, now)

    def _gap_s(self) -> float:
        return _GAP_BITS / self.baud + self._latency_s

    def _step(self, answer: Answer | None, now: float) -> None:
        """Run the procedure to its next question."""
        procedure = self._procedure
        if procedure is None:
            return
        try:
            progress = next(procedure) if answer is None else procedure.send(answer)
            while not isinstance(progress, Ask):
                self._report(progress)
                progress = next(procedure)
        except StopIteration as end:
            self._procedure = None
            self._events.append(Done(result=end.value))
            return
        except MeterwayError as error:
            self._procedure = None
            self._events.append(Failed(error=error))
            return
        self._send(progress, now)

    def _report(self, progress: Progress) -> None:
        if isinstance(progress, LineSpeed):
            self.baud = progress.baud
        if not isinstance(progress, Ask):
            self._events.append(progress)

    def _send(self, ask: Ask, now: float) -> None:
        octets = ask.frame.encode()
        self._out.append(octets)
        if self._echo:
            self._to_drop = octets
        on_air_s = len(octets) * _BITS_PER_OCTET / self.baud
        wait_s = _GAP_BITS / self.baud if ask.quiet else _ANSWER_BITS / self.baud + _ANSWER_EXTRA_S
        self._until = now + on_air_s + wait_s + self._latency_s

    def _give_up(self, error: MeterwayError) -> None:
        if self._procedure is None:
            return
        self._procedure.close()
        self._procedure = None
        self._until = None
        self._frames = []
        self._events.append(Failed(error=error))
