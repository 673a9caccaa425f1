"""An access point's meters as logical devices: who may associate, and who sees what on which side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from meterway.base.obis import Obis
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.objects.meter import meter_things
from meterway.interfaces.mbus.objects.table import Ask, Method, Thing
from meterway.interfaces.mbus.rules import Party, Side
from meterway.interfaces.mbus.site import Site
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.classes.key_transfer import key_transfers
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.tabled import CounterStore, Right, SitedDevice
from meterway.stacks.dlms.xdlms.results import ActionResult

__all__ = ["LogicalSite"]

_OF_CHANNELS: Final = (4, 70, 72)
_ATTACKS: Final = frozenset(("authentication", "tag", "counter", "policy", "title", "key"))


class LogicalSite(SitedDevice[Site, Party]):
    """Logical device ``channel`` of a site, as one side sees it; of channel 0 ``_own_things`` says what is shown.

    A meter's logical device takes associations once the meter was heard: before, there is nothing to say of it.
    """

    __slots__ = ("_side",)

    def __init__(
        self, site: Site, channel: int, *, side: Side, counters: CounterStore[Party], unix: Callable[[], float]
    ) -> None:
        super().__init__(site, channel, counters=counters, unix=unix)
        self._side = side

    def _party(self, client: int) -> Party | None:
        party = self._site.party(self._side, client)
        if party is None or not (party.may(Right.READ, self.channel) or party.may(Right.CONFIGURE, self.channel)):
            return None
        if self.channel and not self._site.ledger.gateway.mirror.of(self.channel):
            return None
        return party

    def _keys(self, party: Party) -> Keys:
        keys = self._site.keys(party, self.channel)
        return Keys(keys.guek, keys.gak)

    def _may(self, party: Party, right: Right, key: tuple[int, Obis]) -> bool:
        """What the gateway shows of a channel belongs to the meter there."""
        class_id, obis = key
        return party.may(right, obis.b if self.channel == 0 and class_id in _OF_CHANNELS else self.channel)

    def _made(self, ask: Ask) -> Iterable[Thing]:
        return self._own_things(ask) if self.channel == 0 else meter_things(ask)

    def _own_things(self, ask: Ask) -> Iterable[Thing]:
        """What it shows of itself: nothing, unless it says so."""
        return ()

    def _key_transfer(self) -> Method:
        return Method(_transfer_keys, Right.EVERY_PARTY)

    @property
    def _sap(self) -> int:
        return self._site.first_sap + self.channel

    def _denied(self, client: int) -> None:
        detail = f"client {client}, {self._side} side"
        self._site.ledger.gateway.log(self._now(), Code.ACCESS_DENIED, self.channel, detail)

    def _keep(self) -> None:
        self._site.ledger.flush()

    def noticed(self, client: int, kind: str, now: float) -> None:
        """Log what looks like an attack."""
        if kind in _ATTACKS:
            self._site.ledger.gateway.log(self._now(), Code.ACCESS_DENIED, self.channel, f"client {client}: {kind}")


def _transfer_keys(ask: Ask, parameter: Data) -> ActionResult:
    """A party changes its own keys here, nobody else's; what is open goes on under those it was opened with."""
    wanted = key_transfers(parameter)
    if wanted is None:
        return ActionResult.TYPE_UNMATCHED
    done = ask.site.transfer_keys(ask.party, ask.channel, wanted)
    code = Code.PARTY_KEY_CHANGED if done else Code.PARTY_KEY_REFUSED
    ask.site.ledger.gateway.log(ask.now, code, ask.channel, ask.party.name)
    return ActionResult.SUCCESS if done else ActionResult.OTHER_REASON
