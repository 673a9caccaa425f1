"""Calling a device: the line, the session on it, one outcome."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Generic, TypeVar

from meterway.base.errors import ConfigError, LinkError, MeterwayError, ProtocolError, SecurityError, StoreError
from meterway.base.obis import Obis
from meterway.headend.called_line import CalledLine
from meterway.headend.calls import Calls
from meterway.headend.fleet import Entry, Fleet
from meterway.headend.route import is_concentrator
from meterway.links import tcp
from meterway.links.pump import EngineProtocol
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client.script import Get, Script
from meterway.stacks.dlms.client.session import MeterSession, SessionDone, SessionFailed
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.store.devices import GATEWAY

__all__ = ["Caller", "Outcome", "Timing"]

ResultT = TypeVar("ResultT")
_Report = SessionDone[ResultT] | SessionFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long to wait: for the connection, for each answer, for a whole session; seconds.

    The ``far`` ones hold over a neighbourhood network, where ``parallel`` sessions go through one concentrator.
    """

    connect_s: float = 10.0
    response_s: float = 10.0
    session_s: float = 300.0
    far_response_s: float = 60.0
    far_session_s: float = 1800.0
    parallel: int = 8


@dataclass(frozen=True, slots=True)
class Outcome(Generic[ResultT]):
    """What came of a call: the session's report, when it began (Unix seconds), how long it took."""

    report: SessionDone[ResultT] | SessionFailed
    started_s: float
    duration_s: float

    @property
    def cause(self) -> str:
        """``ok`` or the word that the failure is counted by."""
        return self.report.cause if isinstance(self.report, SessionFailed) else "ok"


_REFUSED: Final = frozenset({"authentication", "rejected", "counter-refused"})
_COUNTER: Final = AttributeDescriptor(1, Obis(0, 0, 43, 1, 0), 2)


def _is_refused(report: _Report[ResultT], script: Script[ResultT]) -> bool:
    """Whether the device did not let us in: a wrong key and a counter it has seen before look the same."""
    return (
        isinstance(report, SessionFailed)
        and report.cause in _REFUSED
        and inspect.getgeneratorstate(script) == inspect.GEN_CREATED
    )


def _seen_counter() -> Script[int | None]:
    answer = yield Get(_COUNTER)
    seen = axdr.decode_all(answer).value if isinstance(answer, bytes) else None
    return seen if isinstance(seen, int) else None


class Caller:
    """Opens associations with devices of a fleet, one at a time with each; counts sessions and octets."""

    def __init__(self, fleet: Fleet, timing: Timing, calls: Calls | None = None, *, title: bytes = b"") -> None:
        self._fleet = fleet
        self._timing = timing
        self._calls = calls or Calls()
        self._title = title
        self.octets: Counter[str] = Counter()
        """By the interface of the reference figure that they went over."""
        self.sessions: Counter[str] = Counter()
        self._narrow: dict[tuple[str, int], asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(timing.parallel))

    async def call(self, entry: Entry, script: Script[ResultT], *, is_managing: bool = False) -> Outcome[ResultT]:
        """Associate with a device, run the script, release. Never raises for what the line or the device does.

        ``is_managing`` says that the script changes something, which takes a client with the right to.
        """
        async with entry.lock, self._room(entry):
            started, begun = time.time(), time.perf_counter()
            report = await self._session(entry, script, is_managing=is_managing)
            if _is_refused(report, script) and await self._caught_up(entry):
                report = await self._session(entry, script, is_managing=is_managing)
            if isinstance(report, SessionFailed):
                script.close()
        self._count(entry, report.octets)
        return Outcome(report, started, time.perf_counter() - begun)

    def _room(self, entry: Entry) -> AbstractAsyncContextManager[None]:
        """A place among the sessions that one concentrator carries at a time; nothing to wait for elsewhere."""
        route = entry.route
        return self._narrow[route.host, route.port] if route is not None and route.prefixes else nullcontext()

    def _count(self, entry: Entry, octets: int) -> None:
        self.octets[_interface(entry)] += octets
        self.sessions[_interface(entry)] += 1

    async def _caught_up(self, entry: Entry) -> bool:
        """Whether the device has seen higher counters of ours than we know of, and we now count on from there."""
        report = await self._session(entry, _seen_counter(), is_public=True)
        self._count(entry, report.octets)
        if not isinstance(report, SessionDone) or report.result is None:
            return False
        try:
            return await asyncio.to_thread(self._fleet.count_beyond, entry, report.result)
        except StoreError:
            return False

    async def _session(
        self, entry: Entry, script: Script[ResultT], *, is_public: bool = False, is_managing: bool = False
    ) -> SessionDone[ResultT] | SessionFailed:
        make = self._fleet.public_client if is_public else partial(self._fleet.client, is_managing=is_managing)
        is_far = entry.route is not None and bool(entry.route.prefixes)
        patience = self._timing.far_response_s if is_far else self._timing.response_s
        try:
            session = MeterSession(make(entry, response_timeout_s=patience), script)
        except MeterwayError as error:
            return SessionFailed(error.check if isinstance(error, SecurityError) else "config", error, (), 0)
        done: asyncio.Future[SessionDone[ResultT] | SessionFailed] = asyncio.get_running_loop().create_future()

        def report(event: SessionDone[ResultT] | SessionFailed) -> None:
            if not done.done():
                done.set_result(event)

        def lost(_: Exception | None) -> None:
            report(SessionFailed("link", LinkError("the connection was lost"), (), session.octets))

        def made(protocol: EngineProtocol[SessionDone[ResultT] | SessionFailed]) -> None:
            session.open(protocol.now())

        longest = self._timing.far_session_s if is_far else self._timing.session_s
        outcome = await self._line(
            entry, lambda: EngineProtocol(session, report, on_made=made, on_lost=lost), done, longest
        )
        if session.agreed is not None and not is_public:
            entry.title = session.agreed.server_title or entry.title
        if isinstance(outcome, SessionFailed):
            return replace(outcome, octets=session.octets)
        return outcome

    async def _line(
        self,
        entry: Entry,
        factory: Callable[[], EngineProtocol[_Report[ResultT]]],
        done: asyncio.Future[SessionDone[ResultT] | SessionFailed],
        longest_s: float,
    ) -> SessionDone[ResultT] | SessionFailed:
        line = await self._called(entry)
        if line is not None:
            async with line.lock:
                return await self._lent(line, factory(), done, longest_s)
        place = entry.route or entry.device
        try:
            protocol = await tcp.connect(place.host, place.port, factory, timeout_s=self._timing.connect_s)
        except LinkError as error:
            return SessionFailed("link", error, (), 0)
        except (ValueError, OverflowError) as error:  # a host that is no name, a port that is none
            return SessionFailed("config", ConfigError(f"{place.host}:{place.port} is no address: {error}"), (), 0)
        late = asyncio.get_running_loop().call_later(longest_s, self._late, done, longest_s)
        try:
            return await done
        finally:
            late.cancel()
            protocol.close()

    async def _called(self, entry: Entry) -> CalledLine | None:
        """The line that the device, or the gateway it is behind, has opened; one that only calls in is woken."""
        top = entry.route.links[0].device if entry.route is not None else entry.device
        line = self._calls.line(top.id)
        if line is not None or "wake" not in top.flags:
            return line
        try:
            waker = self._fleet.of(top.id)
            await asyncio.to_thread(self._fleet.prepare, [waker])
            return await self._calls.wake(waker, self._title, wait_s=self._timing.connect_s)
        except MeterwayError:
            return None

    async def _lent(
        self,
        line: CalledLine,
        protocol: EngineProtocol[_Report[ResultT]],
        done: asyncio.Future[_Report[ResultT]],
        longest_s: float,
    ) -> _Report[ResultT]:
        if not line.is_open:
            return SessionFailed("link", LinkError("the device has hung up"), (), 0)
        late = asyncio.get_running_loop().call_later(longest_s, self._late, done, longest_s)
        line.lend(protocol)
        try:
            return await done
        finally:
            late.cancel()
            protocol.close()

    @staticmethod
    def _late(done: asyncio.Future[SessionDone[ResultT] | SessionFailed], longest_s: float) -> None:
        if not done.done():
            error = ProtocolError(f"the session did not end within {longest_s:g} s")
            done.set_result(SessionFailed("timeout", error, (), 0))


def _interface(entry: Entry) -> str:
    if entry.route is not None:
        return entry.route.interface
    if is_concentrator(entry.device.profile):
        return "G2"
    return "G1" if entry.device.parent is not None or entry.device.utility == GATEWAY else "I"
