"""What nodes said by themselves, until the head end has it: put on every line to somebody known, or kept for the next.

Nobody acknowledges a push. One whose line ended before the other side went on talking is taken for lost and waits
again; if it had come through, its counter is used, and the head end refuses it the second time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

import msgspec

from meterway.nnap.north import NorthLine
from meterway.nnap.store import Store
from meterway.stacks.dlms.gateway import GatewayAddress

__all__ = ["Notice", "Notices"]

_MOST: Final = 1000
_MOST_OF_ONE: Final = 50
_KEPT: Final = "notice:"
_SURE_S: Final = 10.0
_GOES_ON: Final = 2
"""Who asks, is answered and asks again has read what stood before the answer."""


class Notice(msgspec.Struct, frozen=True):
    """A push of a node as it came, and the client and server addresses it came with."""

    eui: bytes
    apdu: bytes
    client: int
    server: int


@dataclass(slots=True)
class _Sent:
    notice: Notice
    at_s: float
    lines: dict[NorthLine, int] = field(default_factory=dict)
    """What each line had heard when the notice went onto it."""


class Notices:
    """At most a thousand wait, fifty of one node; the oldest is given up first.

    What waits when ``save`` ends outlives the process.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        kept = sorted(store.states(_KEPT).items())
        self._waiting = deque((msgspec.msgpack.decode(octets, type=Notice) for _, octets in kept), maxlen=_MOST)
        self._sent: deque[_Sent] = deque(maxlen=_MOST)
        self._changed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def say(self, notice: Notice, lines: Collection[NorthLine], now: float) -> None:
        """Put it on these lines; without any it waits."""
        self._forget(now)
        if not lines:
            self._make_room(notice.eui)
            self._waiting.append(notice)
            self._changed = True
            return
        sent = _Sent(notice, now)
        self._sent.append(sent)
        for line in lines:
            sent.lines[line] = line.heard
            _put(line, notice, now)

    def _make_room(self, eui: bytes) -> None:
        """One node that talks for ever gives up its own oldest, not what others said."""
        own = [notice for notice in self._waiting if notice.eui == eui]
        if len(own) >= _MOST_OF_ONE:
            self._waiting.remove(own[0])

    def opened(self, line: NorthLine, now: float) -> None:
        """It is known who is at the other end of a line: what waits goes there."""
        waiting = list(self._waiting)
        self._waiting.clear()
        self._changed = self._changed or bool(waiting)
        for notice in waiting:
            self.say(notice, (line,), now)

    def lost(self, line: NorthLine, now: float) -> None:
        """A line is gone: what may not have been read there, nor on another, waits again."""
        self._forget(now)
        for sent in reversed(self._sent.copy()):
            before = sent.lines.pop(line, None)
            if before is None:
                continue
            if line.heard - before >= _GOES_ON:
                self._sent.remove(sent)
            elif not sent.lines:
                self._sent.remove(sent)
                if len(self._waiting) < _MOST:
                    self._waiting.appendleft(sent.notice)
                    self._changed = True

    def save(self) -> None:
        """Write what waits, if that changed."""
        if not self._changed:
            return
        with self._store.transaction():
            self._store.drop_states(_KEPT)
            for number, notice in enumerate(self._waiting):
                self._store.keep_state(f"{_KEPT}{number:06}", msgspec.msgpack.encode(notice))
        self._changed = False

    def _forget(self, now: float) -> None:
        """Lines that stayed so long brought what was put on them."""
        while self._sent and now - self._sent[0].at_s > _SURE_S:
            self._sent.popleft()


def _put(line: NorthLine, notice: Notice, now: float) -> None:
    line.notify(GatewayAddress(notice.eui), notice.apdu, client=notice.client, server=notice.server, now=now)
