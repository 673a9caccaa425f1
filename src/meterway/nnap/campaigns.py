"""The one firmware campaign that a concentrator can have under way; it goes on after a restart."""

from __future__ import annotations

from typing import Final

import msgspec

from meterway.nnap.broadcast import Broadcaster
from meterway.nnap.device import Concentrator
from meterway.nnap.image import Campaign, CampaignRules, Firmware, Phase
from meterway.nnap.ledger import Ledger
from meterway.store.own_file import OwnFile

__all__ = ["Campaigns"]

_KEPT: Final = "campaign"


class _Campaigned(msgspec.Struct):
    """A campaign as it is kept over a restart."""

    identifier: bytes
    image: bytes


class Campaigns:
    """Begins, resumes and ends a campaign for all meters that are read. Without a ``sender`` there is none."""

    def __init__(
        self, device: Concentrator, ledger: Ledger, store: OwnFile, sender: Broadcaster | None, rules: CampaignRules
    ) -> None:
        self.running: Campaign | None = None
        self._device = device
        self._ledger = ledger
        self._store = store
        self._sender = sender
        self._rules = rules

    def begin(self, firmware: Firmware, now: float) -> bool:
        """Give all meters an image; False if another is under way, or there is nobody to give it to."""
        if self.running is not None or not self._run(firmware, now, resumed=False):
            return False
        self._keep(msgspec.msgpack.encode(_Campaigned(identifier=firmware.identifier, image=firmware.image)))
        return True

    def resume(self, now: float) -> None:
        """Go on with what was under way when the process ended."""
        kept = self._store.state(_KEPT)
        if kept:
            found = msgspec.msgpack.decode(kept, type=_Campaigned)
            self._run(Firmware(identifier=found.identifier, image=found.image), now, resumed=True)

    def settle(self) -> None:
        """Forget a campaign that is done."""
        if self.running is not None and self.running.phase is Phase.DONE:
            self._device.workers.remove(self.running)
            self.running = None
            self._keep(b"")

    def _run(self, firmware: Firmware, now: float, *, resumed: bool) -> bool:
        nodes = [node for node in self._ledger.roll if node.is_read]
        if self._sender is None or not nodes:
            return False
        self.running = Campaign(self._device, self._sender, firmware, nodes, self._rules, now=now, resumed=resumed)
        self._device.workers.append(self.running)
        return True

    def _keep(self, octets: bytes) -> None:
        with self._store.transaction():
            self._store.keep_state(_KEPT, octets)
