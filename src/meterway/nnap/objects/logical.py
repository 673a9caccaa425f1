"""The concentrator and each meter's mirrored data as logical devices: who may associate, and who sees what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from meterway.base.obis import Obis
from meterway.nnap.events import Code
from meterway.nnap.objects.heard import heard_things
from meterway.nnap.objects.mirror import mirror_things
from meterway.nnap.objects.own import own_things
from meterway.nnap.objects.table import Ask, Thing
from meterway.nnap.site import Party, Site
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.tabled import Right, SitedDevice

__all__ = ["LogicalSite"]

_ATTACKS: Final = {
    "counter": Code.REPLAY,
    "tag": Code.KEY_FAILED,
    "key": Code.KEY_FAILED,
    "authentication": Code.ACCESS_DENIED,
    "policy": Code.ACCESS_DENIED,
    "title": Code.ACCESS_DENIED,
}


class LogicalSite(SitedDevice[Site, Party]):
    """Logical device ``channel`` (0 the concentrator itself) of a site. A meter's is there once it was read."""

    __slots__ = ()

    def _party(self, client: int) -> Party | None:
        party = self._site.party(client)
        if party is None or not party.may(Right.READ):
            return None
        if self.channel and not self._site.node(self.channel).mirror.series:
            return None
        return party

    def _keys(self, party: Party) -> Keys:
        return self._site.keys(party, self.channel)

    def _may(self, party: Party, right: Right, key: tuple[int, Obis]) -> bool:
        return party.may(right)

    def _made(self, ask: Ask) -> Iterable[Thing]:
        return [*own_things(), *heard_things(ask)] if self.channel == 0 else mirror_things(ask)

    def _denied(self, client: int) -> None:
        self._site.log(self._now(), Code.ACCESS_DENIED, detail=f"client {client} at {self._sap}")

    def _was_set(self, ask: Ask, obis: Obis) -> None:
        self._site.log(ask.now, Code.CONFIGURED, detail=f"{obis} by {ask.party.name}")

    def _keep(self) -> None:
        if self._site.collector is not None:
            self._site.collector.ledger.flush()
        self._site.ledger.flush(self._site.concentrator)

    def noticed(self, client: int, kind: str, now: float) -> None:
        """Log what looks like an attack."""
        code = _ATTACKS.get(kind)
        if code is not None:
            self._site.log(self._now(), code, detail=f"client {client} at {self._sap}: {kind}")
