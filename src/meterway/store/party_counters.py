"""Invocation counters of associations with parties and of pushes, kept in an entity's own file."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter, counter_at
from meterway.store.own_file import OwnFile

__all__ = ["PartyCounters"]

_STEP: Final = 1000
PartyT = TypeVar("PartyT")
PartyInT = TypeVar("PartyInT", contravariant=True)


class KeyHolder(Protocol[PartyInT]):
    """Who knows the keys of the parties."""

    def encryption_key(self, party: PartyInT, channel: int) -> bytes:
        """The key that a party and a logical device encrypt under."""


class PartyCounters(Generic[PartyT]):
    """Counters belong to a key, named by a fingerprint: under a new key they begin anew.

    ``unix`` gives Unix seconds: no counter begins below one a second since 2020, so that an old
    backup repeats none.
    """

    def __init__(self, file: OwnFile, keys: KeyHolder[PartyT], unix: Callable[[], float] = time.time) -> None:
        self._file = file
        self._unix = unix
        self._keys = keys
        self._sent: dict[str, SendCounter] = {}
        self._received: dict[str, ReceivedCounter] = {}
        self._kept: dict[str, int] = {}

    def _name(self, party: PartyT, channel: int) -> str:
        return hashlib.sha256(b"counter" + self._keys.encryption_key(party, channel)).hexdigest()[:16]

    def sending(self, party: PartyT, channel: int) -> SendCounter:
        """The one counter of all that a logical device protects for a party; reserved on the disk before use."""
        name = self._name(party, channel)
        found = self._sent.get(name)
        if found is None:
            kept = f"dlms-sent:{name}"
            found = self._sent[name] = SendCounter(
                max(self._file.counter(kept), counter_at(self._unix())),
                reserve=lambda limit: self._file.keep_counter(kept, limit),
                step=_STEP,
            )
        return found

    def receiving(self, party: PartyT, channel: int) -> ReceivedCounter:
        """The highest counter that a party was seen to use with a logical device."""
        name = self._name(party, channel)
        found = self._received.get(name)
        if found is None:
            last = self._file.counters(f"dlms-received:{name}").get("", -1)
            found = self._received[name] = ReceivedCounter(last)
        return found

    def save(self) -> None:
        """Write the received counters that rose."""
        changed = {name: one.last for name, one in self._received.items() if one.last != self._kept.get(name, -1)}
        if not changed:
            return
        with self._file.transaction():
            for name, last in changed.items():
                self._file.keep_counter(f"dlms-received:{name}", last)
        self._kept.update(changed)
