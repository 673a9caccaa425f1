"""Claims put to the proof: an association with the meter's own keys, through the concentrator that lists it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from meterway.base.errors import MeterwayError
from meterway.headend.claims import Claim
from meterway.headend.contact import Caller
from meterway.headend.fleet import Entry, Fleet
from meterway.headend.live import Happening, Live
from meterway.headend.neighbourhood import Neighbourhood
from meterway.headend.route import claimed_route
from meterway.stacks.dlms.client.script import Script
from meterway.stacks.dlms.client.session import SessionFailed
from meterway.store.database import Store

__all__ = ["Prover"]

_LOOK_S: Final = 0.5
_AT_ONCE: Final = 4


class _InThread(Protocol):
    def __call__(self, step: Callable[[], object]) -> Awaitable[object]: ...


def _nothing_more() -> Script[None]:
    """To be associated is all that is wanted: both sides have shown their keys then."""
    yield from ()


class Prover:
    """Asks whoever is claimed, until cancelled; a meter that answers moves, in the thread that writes."""

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        caller: Caller,
        neighbourhood: Neighbourhood,
        live: Live,
        *,
        in_thread: _InThread,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._caller = caller
        self._neighbourhood = neighbourhood
        self._live = live
        self._in_thread = in_thread
        self._wake = wake
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Look for claims again and again."""
        while True:
            await self.prove()
            await asyncio.sleep(_LOOK_S)

    async def prove(self) -> None:
        """Put those to the proof whose turn it is."""
        due = self._neighbourhood.claims.due(time.time())
        await asyncio.gather(*(self._one(claim) for claim in due))

    async def _one(self, claim: Claim) -> None:
        async with self._room:
            try:
                proven = await self._answers(claim)
                said = await self._in_thread(lambda: self._settle(claim, proven=proven))
            except MeterwayError as error:  # the store refuses, or the registry has changed: later
                self._neighbourhood.claims.failed(claim, time.time())
                said = f" a claim could not be judged: {error}"
        serial, _, what = str(said or "").partition(" ")
        if what:
            self._live.tell(Happening("topology", serial, what, time.time(), {}))
            self._wake()

    async def _answers(self, claim: Claim) -> bool:
        known, claimed = await self._entries(claim)
        async with known.lock:  # one association with the meter at a time, whichever way it is
            outcome = await self._caller.call(claimed, _nothing_more())
        await self._in_thread(lambda: self._fleet.keep_received(claimed))
        return not isinstance(outcome.report, SessionFailed)

    async def _entries(self, claim: Claim) -> tuple[Entry, Entry]:
        found: list[Entry] = []

        def load() -> None:
            known = self._fleet.of(claim.node.device)
            route = claimed_route(self._store, known.device, claim.node)
            found.extend((known, self._fleet.claimed(known, route)))

        await self._in_thread(load)
        return found[0], found[1]

    def _settle(self, claim: Claim, *, proven: bool) -> str:
        now = time.time()
        with self._store.transaction():
            if proven:
                return self._neighbourhood.proven(claim, now_ms=int(now * 1000))
            return self._neighbourhood.not_proven(claim, now_ms=int(now * 1000))
