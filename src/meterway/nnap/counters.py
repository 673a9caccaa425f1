"""Invocation counters of the associations northbound, kept in the concentrator's file."""

from __future__ import annotations

import hashlib
from typing import Final

from meterway.nnap.site import Party, Site
from meterway.nnap.store import Store
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter

__all__ = ["DlmsCounters"]

_STEP: Final = 1000


class DlmsCounters:
    """Counters belong to a key, named by a fingerprint: under a new key they begin anew."""

    def __init__(self, store: Store, site: Site) -> None:
        self._store = store
        self._site = site
        self._sent: dict[str, SendCounter] = {}
        self._received: dict[str, ReceivedCounter] = {}
        self._kept: dict[str, int] = {}

    def _name(self, party: Party, channel: int) -> str:
        return hashlib.sha256(b"counter" + self._site.keys(party, channel).encryption).hexdigest()[:16]

    def sending(self, party: Party, channel: int) -> SendCounter:
        """The one counter of all that a logical device protects for a party; reserved on the disk before use."""
        name = self._name(party, channel)
        found = self._sent.get(name)
        if found is None:
            key = f"dlms-sent:{name}"
            found = self._sent[name] = SendCounter(
                self._store.counter(key), reserve=lambda limit: self._reserve(key, limit), step=_STEP
            )
        return found

    def _reserve(self, key: str, limit: int) -> None:
        with self._store.transaction():
            self._store.keep_counter(key, limit)

    def receiving(self, party: Party, channel: int) -> ReceivedCounter:
        """The highest counter that a party was seen to use with a logical device."""
        name = self._name(party, channel)
        found = self._received.get(name)
        if found is None:
            last = self._store.counters(f"dlms-received:{name}").get("", -1)
            found = self._received[name] = ReceivedCounter(last)
        return found

    def save(self) -> None:
        """Write the received counters that rose."""
        changed = {name: one.last for name, one in self._received.items() if one.last != self._kept.get(name, -1)}
        if not changed:
            return
        with self._store.transaction():
            for name, last in changed.items():
                self._store.keep_counter(f"dlms-received:{name}", last)
        self._kept.update(changed)
