"""Invocation counters of the gateway's associations and pushes, kept in its file."""

from __future__ import annotations

import hashlib

from meterway.lnap.rules import Party
from meterway.lnap.site import Site
from meterway.lnap.store import Spool
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter

__all__ = ["DlmsCounters"]

_STEP = 1000


class DlmsCounters:
    """Counters belong to a key, named by a fingerprint: under a new key they begin anew."""

    def __init__(self, spool: Spool, site: Site) -> None:
        self._spool = spool
        self._site = site
        self._sent: dict[str, SendCounter] = {}
        self._received: dict[str, ReceivedCounter] = {}
        self._kept: dict[str, int] = {}

    def _name(self, party: Party, channel: int) -> str:
        return hashlib.sha256(b"counter" + self._site.keys(party, channel).guek).hexdigest()[:16]

    def sending(self, party: Party, channel: int) -> SendCounter:
        """The one counter of all that a logical device protects for a party; reserved on the disk before use."""
        name = self._name(party, channel)
        found = self._sent.get(name)
        if found is None:
            key = f"dlms-sent:{name}"
            start = self._spool.counters(key).get("", 0)
            found = self._sent[name] = SendCounter(
                start, reserve=lambda limit: self._spool.keep_counter(key, limit), step=_STEP
            )
        return found

    def receiving(self, party: Party, channel: int) -> ReceivedCounter:
        """The highest counter that a party was seen to use with a logical device."""
        name = self._name(party, channel)
        found = self._received.get(name)
        if found is None:
            last = self._spool.counters(f"dlms-received:{name}").get("", -1)
            found = self._received[name] = ReceivedCounter(last)
        return found

    def save(self) -> None:
        """Write the received counters that rose."""
        changed = {name: one.last for name, one in self._received.items() if one.last != self._kept.get(name, -1)}
        if not changed:
            return
        with self._spool.transaction():
            for name, last in changed.items():
                self._spool.keep_counter(f"dlms-received:{name}", last)
        self._kept.update(changed)
