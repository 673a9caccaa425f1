"""The gateway and each of its meters as logical devices: who may associate, and who sees what on which side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.lnap.events import Code
from meterway.lnap.objects.gateway import gateway_things
from meterway.lnap.objects.meter import meter_things
from meterway.lnap.objects.table import Ask, Method, Thing
from meterway.lnap.rules import Party, Side
from meterway.lnap.site import Site
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.security_setup import KeyTransfer
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.tabled import CounterStore, Right, TabledDevice
from meterway.stacks.dlms.tabled.logical import SECURITY_SETUP
from meterway.stacks.dlms.tabled.table import fixed
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.parts import MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult

__all__ = ["LogicalSite"]

_KEY_TRANSFER: Final = 2
_KEYS: Final = interface_class(64, 0).method(_KEY_TRANSFER).type
_OF_CHANNELS: Final = (4, 70, 72)
_ATTACKS: Final = frozenset(("authentication", "tag", "counter", "policy", "title", "key"))


_OWN_SECURITY: Final = Thing(
    class_id=SECURITY_SETUP[0],
    obis=SECURITY_SETUP[1],
    attributes={place: fixed(axdr.null()) for place in (2, 3, 4, 5)},
    methods={_KEY_TRANSFER: Method(lambda _, __: ActionResult.OTHER_REASON, Right.READ)},
)
"""The security setup as it is listed; what it answers is the association's."""


class LogicalSite(TabledDevice[Site, Party]):
    """Logical device ``channel`` (0 the gateway itself) of a site, as one side sees it.

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
        return gateway_things(ask) if self.channel == 0 else meter_things(ask)

    def _also_listed(self) -> Iterable[Thing]:
        return (_OWN_SECURITY,)

    @property
    def _sap(self) -> int:
        return self._site.first_sap + self.channel

    def _denied(self, client: int) -> None:
        detail = f"client {client}, {self._side} side"
        self._site.ledger.gateway.log(self._now(), Code.ACCESS_DENIED, self.channel, detail)

    def _keep(self) -> None:
        self._site.ledger.flush()

    def act(self, client: int, method: MethodDescriptor, parameters: bytes | None, now: float) -> ActionOutcome:
        """Call a method; that of the security setup is the association's."""
        if (method.class_id, method.obis, method.method) == (*SECURITY_SETUP, _KEY_TRANSFER):
            ask = self._asked(client)
            if ask is not None:
                return ActionOutcome(self._transfer_keys(ask, parameters))
        return super().act(client, method, parameters, now)

    def noticed(self, client: int, kind: str, now: float) -> None:
        """Log what looks like an attack."""
        if kind in _ATTACKS:
            self._site.ledger.gateway.log(self._now(), Code.ACCESS_DENIED, self.channel, f"client {client}: {kind}")

    def _transfer_keys(self, ask: Ask, parameters: bytes | None) -> ActionResult:
        """A party changes its own keys here, nobody else's; what is open goes on under those it was opened with."""
        try:
            wanted = _KEYS.typed(axdr.null() if parameters is None else axdr.decode_all(parameters), [])
        except (DecodeError, LocalProtocolError):
            return ActionResult.TYPE_UNMATCHED
        if not isinstance(wanted, tuple) or not wanted or not all(isinstance(one, KeyTransfer) for one in wanted):
            return ActionResult.TYPE_UNMATCHED
        done = self._site.transfer_keys(ask.party, self.channel, wanted)
        code = Code.PARTY_KEY_CHANGED if done else Code.PARTY_KEY_REFUSED
        self._site.ledger.gateway.log(ask.now, code, self.channel, ask.party.name)
        self._site.ledger.flush()
        return ActionResult.SUCCESS if done else ActionResult.OTHER_REASON
