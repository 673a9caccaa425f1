"""Ask a logical device as a server engine does."""

from __future__ import annotations

from pathlib import Path

from lnap_town import NOON, RadioMeter, hear, ledger, site
from meterway.base.obis import Obis
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.rules import Party, Side
from meterway.interfaces.mbus.tariff import TariffCase
from meterway.lnap.objects import LogicalSite
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult
from meterway.stacks.mbus.records.record import Record
from meterway.store.party_counters import PartyCounters


class Bench:
    """A gateway with one meter that was heard, and its logical devices; time stands still at ``now``."""

    def __init__(
        self,
        folder: Path,
        meter: RadioMeter,
        *records: Record,
        parties: tuple[Party, ...] = (),
        tariffs: tuple[TariffCase, ...] = (),
        value: float = 12.345,
        **bound: object,
    ) -> None:
        self.now = NOON + 60
        self.meter = meter
        self.book: Ledger = ledger(folder, meter.bound(**bound))
        hear(self.book, meter.telegram(value, *records), NOON)
        self._devices: dict[tuple[int, Side], LogicalSite] = {}
        self.site = site(self.book, *parties, tariffs=tariffs)

    def device(self, channel: int, side: Side = "wan") -> LogicalSite:
        found = self._devices.get((channel, side))
        if found is None:
            counters = PartyCounters(self.book.spool, self.site)
            found = LogicalSite(self.site, channel, side=side, counters=counters, unix=lambda: self.now)
            self._devices[channel, side] = found
        return found

    def get(
        self, channel: int, class_id: int, code: str, attribute: int = 2, *, client: int = 1,
        selection: Selection | None = None,
    ) -> object:  # fmt: skip
        """The typed value, or the word of the refusal."""
        descriptor = AttributeDescriptor(class_id, Obis.parse(code), attribute)
        answer = self.device(channel).get(client, descriptor, selection, 0.0)
        if isinstance(answer, DataAccessResult):
            return answer.word
        return typed(class_id, attribute, axdr.decode_all(answer))

    def set(self, channel: int, class_id: int, code: str, attribute: int, value: Data, *, client: int = 1) -> str:
        descriptor = AttributeDescriptor(class_id, Obis.parse(code), attribute)
        return self.device(channel).set(client, descriptor, None, axdr.encode(value), 0.0).word

    def act(
        self, channel: int, class_id: int, code: str, method: int, value: Data | None = None, *, client: int = 1
    ) -> ActionResult:
        descriptor = MethodDescriptor(class_id, Obis.parse(code), method)
        data = axdr.encode(axdr.i8(0) if value is None else value)
        return self.device(channel).act(client, descriptor, data, 0.0).result

    def close(self) -> None:
        self.book.spool.close()
