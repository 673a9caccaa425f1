"""The logical device that a server engine asks: associations, keys, objects, access rights.

Over the neighbourhood only the public, the operator and broadcasts come in; the consumer's association, with keys of
its own, is for the local port.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from meterway.base.obis import Obis
from meterway.home.device import LoadController
from meterway.home.memory import HomeMemory
from meterway.home.objects.table import BROADCAST, CONSUMER, PARTIES, PUBLIC, Ask, Method, Party, Thing
from meterway.home.objects.things import things_of
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.classes.key_transfer import key_transfers, unwrapped_keys
from meterway.stacks.dlms.classes.security_setup import KeyId
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.server import Association, BroadcastKeys
from meterway.stacks.dlms.tabled import Right, TabledDevice
from meterway.stacks.dlms.xdlms.results import ActionResult

__all__ = ["LogicalHome"]

_TRANSFERABLE: Final[dict[int, str]] = {
    KeyId.GLOBAL_UNICAST_ENCRYPTION: "guek",
    KeyId.GLOBAL_BROADCAST_ENCRYPTION: "gbek",
    KeyId.AUTHENTICATION: "gak",
}
_ATTACKS: Final = frozenset(("authentication", "tag", "counter", "policy", "title", "key"))


class _Counters:
    """The counters of one device's parties."""

    __slots__ = ("_device", "_memory")

    def __init__(self, device: LoadController, memory: HomeMemory) -> None:
        self._device = device
        self._memory = memory

    def sending(self, party: Party, channel: int) -> SendCounter:
        return self._memory.sending(self._device, party.client)

    def receiving(self, party: Party, channel: int) -> ReceivedCounter:
        return self._memory.receiving(self._device, party.client)


class LogicalHome(TabledDevice[LoadController, Party]):
    """A load controller as one logical device. ``is_local``: asked on the local port, not over the neighbourhood.

    ``max_pdu`` is the longest APDU that its network carries. The engine's time is Unix seconds.
    """

    __slots__ = ("_is_local",)

    def __init__(
        self, device: LoadController, memory: HomeMemory, *, is_local: bool = False, max_pdu: int = 0xFFFF
    ) -> None:
        super().__init__(device, 0, counters=_Counters(device, memory), max_pdu=max_pdu)
        self._is_local = is_local

    @property
    def device(self) -> LoadController:
        """What it shows."""
        return self._site

    @property
    def system_title(self) -> bytes:
        """Eight octets."""
        return self.device.title

    # -- who may do what ----------------------------------------------------------------------------------------------

    def _moment(self, now: float) -> float:
        """The device is brought to ``now``; it keeps the offset of its own clock."""
        self.device.advance(now)
        return now

    def _party(self, client: int) -> Party | None:
        return None if client == CONSUMER and not self._is_local else PARTIES.get(client)

    def _keys(self, party: Party) -> Keys | None:
        keys = self.device.keys
        if party.client == BROADCAST:
            return Keys(keys.gbek, keys.gbak or keys.gak)
        if party.client == CONSUMER:
            return Keys(keys.consumer_guek, keys.consumer_gak)
        return None if party.client == PUBLIC else Keys(keys.guek, keys.gak)

    def _may(self, party: Party, right: Right, key: tuple[int, Obis]) -> bool:
        return right in party.rights

    def _made(self, ask: Ask) -> Iterable[Thing]:
        return things_of(self.device)

    def _key_transfer(self) -> Method:
        return Method(_transfer_keys)

    # -- associations -------------------------------------------------------------------------------------------------

    def association(self, client: int) -> Association | None:
        """The association that ``client`` may open, or None; that of broadcasts is there without being opened."""
        return None if client == BROADCAST else super().association(client)

    def broadcast(self, client: int) -> BroadcastKeys | None:
        """What opens a broadcast; None for another client, or without the group's key."""
        security = self.security(client) if client == BROADCAST and self.device.keys.gbek else None
        if security is None:
            return None
        return BroadcastKeys(keys=security.keys, cipher=security.cipher, received=security.received)

    def noticed(self, client: int, kind: str, now: float) -> None:
        """Log what looks like an attack."""
        if kind in _ATTACKS:
            self.device.failed(kind, now)


def _transfer_keys(ask: Ask, parameter: Data) -> ActionResult:
    """All keys or none; the association that is open goes on with the old ones. The master key stays."""
    wanted = key_transfers(parameter)
    if wanted is None:
        return ActionResult.TYPE_UNMATCHED
    fresh = unwrapped_keys(ask.site.keys.kek, wanted, _TRANSFERABLE)
    if fresh is None:
        return ActionResult.OTHER_REASON
    ask.site.change_keys(fresh, ask.now)
    return ActionResult.SUCCESS
