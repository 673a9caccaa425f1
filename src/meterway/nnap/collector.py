"""What a concentrator hears by itself (interface C): battery meters of its white list, kept in a file of their own.

The access point under it is the one that gateways have. Here it speaks the concentrator's language: its parties, its
log, its node table, its reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from meterway.base.obis import Obis
from meterway.interfaces.mbus.device import Gateway
from meterway.interfaces.mbus.events import Code as Heard
from meterway.interfaces.mbus.events import Event
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.meters import Bound
from meterway.interfaces.mbus.objects.logical import LogicalSite
from meterway.interfaces.mbus.objects.meter import HOURLY
from meterway.interfaces.mbus.places import Places
from meterway.interfaces.mbus.rules import Party, is_cumulative
from meterway.interfaces.mbus.settings import MeterConfig, ident_of, own_address
from meterway.interfaces.mbus.site import Site
from meterway.interfaces.mbus.store import Spool
from meterway.interfaces.mbus.strangers import Strangers
from meterway.interfaces.mbus.tariff import Row
from meterway.mapping.neighbourhood import HEARD_SAP, NodeRow, NodeState
from meterway.model.report import Column, ReportEvent, Series
from meterway.nnap.collector_config import CollectorConfig
from meterway.nnap.events import Code
from meterway.store.party_counters import PartyCounters
from meterway.store.vault import Vault

__all__ = ["Collector", "News", "quality_of"]

_LOG: Final = Obis(0, 0, 99, 98, 3)
_REGISTER: Final = 3
_TOLD_AGAIN_S: Final = 3600.0
_WORST_DBM, _BEST_DBM, _USUAL = -110.0, -50.0, 50
_CODES: Final[dict[Heard, Code]] = {
    Heard.COMMUNICATION_ERROR: Code.NODE_SILENT,
    Heard.COMMUNICATION_OK: Code.NODE_BACK,
    Heard.REPLACE_BATTERY: Code.BATTERY_LOW,
    Heard.METER_BOUND: Code.NODE_LISTED,
    Heard.METER_LEFT: Code.NODE_REMOVED,
    Heard.METER_PROPOSED: Code.NODE_PROPOSED,
    Heard.METER_UNKNOWN: Code.METER_UNKNOWN,
    Heard.NOT_AUTHENTIC: Code.KEY_FAILED,
    Heard.NOT_PROTECTED: Code.KEY_FAILED,
    Heard.REPLAY: Code.REPLAY,
    Heard.READINGS_DROPPED: Code.READINGS_DROPPED,
    Heard.ACCESS_DENIED: Code.ACCESS_DENIED,
}
"""What of the meters' own log stands in the concentrator's too."""

Log = Callable[[float, Code, str, str], None]
"""Takes time, code, serial and detail."""


class News(NamedTuple):
    """What is new for a report, and up to which slot and event it is."""

    series: list[Series]
    events: list[ReportEvent]
    slot: int
    event: int


def quality_of(meter: Bound) -> int:
    """How well a meter is heard, 0 to 100: its last telegram's strength, 0 if it is silent or was not heard yet."""
    if meter.silent or not meter.telegrams:
        return 0
    if meter.rssi_dbm is None:
        return _USUAL
    share = (meter.rssi_dbm - _WORST_DBM) / (_BEST_DBM - _WORST_DBM)
    return round(min(max(share, 0.01), 1.0) * 100)


class Collector:
    """The battery meters of a concentrator. ``now`` gives Unix seconds by its clock, ``shift`` what that is ahead.

    ``parties`` and ``secrets`` are the concentrator's; ``log`` writes into its log. SecurityError(key) if its file was
    sealed under another master key.
    """

    def __init__(
        self,
        config: CollectorConfig,
        *,
        serial: str,
        flag: str,
        firmware: str,
        vault: Vault,
        parties: tuple[Party, ...],
        secrets: dict[str, bytes],
        now: Callable[[], float],
        shift: Callable[[], float],
        log: Log,
    ) -> None:
        self.config = config
        self._now = now
        self._log = log
        self._told: dict[tuple[Code, str], float] = {}
        self.spool = Spool(config.store, limit_octets=config.limit_mib << 20)
        self.gateway = Gateway(zone=config.zone_info, limits=config.limits, drivers=config.meter_drivers())
        self.gateway.strangers = Strangers()
        self.ledger = Ledger(self.gateway, self.spool, vault, period_s=config.period_s, keep_days=config.keep_days)
        self.site = Site(
            serial=serial,
            flag=flag,
            ledger=self.ledger,
            firmware=firmware,
            secrets=secrets,
            parties=parties,
            zone=config.zone_info,
            first_sap=HEARD_SAP,
            order_valid_s=config.order_valid_s,
        )
        self.counters = PartyCounters(self.spool, self.site, now)
        self.places = Places(self.ledger, own_address(flag, config.ident or ident_of(serial)), shift)

    # -- life -------------------------------------------------------------------------------------------------

    def restore(self, meters: Iterable[MeterConfig]) -> None:
        """Take the state from the file and bind what the settings list."""
        self.ledger.on_events = self._noted
        self.site.restore()
        self.ledger.restore(self._now())
        self.ledger.bind_all((meter.bound() for meter in meters), self._now())

    def tick(self, now: float) -> None:
        """What is due: readings of the slot that ended, silence, orders that expire, what changed to the disk."""
        self.ledger.capture(now)
        self.ledger.watch(now, silent_after_s=self.config.silent_after_s)
        self.counters.save()
        self.ledger.flush()

    def close(self) -> None:
        """Off the air; what is in memory is written."""
        self.places.close()
        self.counters.save()
        self.ledger.save()
        self.spool.close()

    def _noted(self, events: list[Event]) -> None:
        self.site.note(events)
        for event in events:
            code = _CODES.get(event.code)
            meter = self.gateway.channels.get(event.channel)
            serial = "" if meter is None else meter.name
            if code is not None and self._is_new(code, serial or event.detail, event.time_s):
                self._log(event.time_s, code, serial, event.detail if event.detail != serial else "")

    def _is_new(self, code: Code, about: str, now: float) -> bool:
        """Whether the concentrator's log is to have it: one meter's wrong key would fill it otherwise."""
        last = self._told.get((code, about))
        if last is not None and 0 <= now - last < _TOLD_AGAIN_S:
            return False
        self._told = {key: time for key, time in self._told.items() if now - time < _TOLD_AGAIN_S}
        self._told[code, about] = now
        return True

    # -- northbound -------------------------------------------------------------------------------------------

    def logical(self, sap: int) -> LogicalSite | None:
        """The logical device of a meter; None if nobody has that address."""
        channel = sap - HEARD_SAP
        if channel not in self.gateway.channels:
            return None
        return LogicalSite(self.site, channel, side="wan", counters=self.counters, unix=self._now)

    def party(self, name: str) -> Party:
        """A party of the concentrator as the access point knows it."""
        return next(one for one in self.site.parties if one.name == name)

    def rows(self) -> list[NodeRow]:
        """The battery meters as rows of the node table."""
        return [
            NodeRow(
                serial=meter.name,
                system_title=b"",
                eui=meter.address.to_radio(),
                state=NodeState.HEARD,
                address=channel,
                quality=quality_of(meter),
                heard=int(meter.heard_s),
                sap=HEARD_SAP + channel,
            )
            for channel, meter in sorted(self.gateway.channels.items())
        ]

    # -- reports ----------------------------------------------------------------------------------------------

    def news(self, slot: int, event: int, rows: int) -> News:
        """What came after a slot and an event, about ``rows`` readings at most; of meters on the white list."""
        self.ledger.flush()
        found = self.spool.slots_after(slot, rows)
        grouped: dict[str, dict[Obis, list[Row]]] = {}
        for _, name, obis, row in found:
            grouped.setdefault(name, {}).setdefault(obis, []).append(row)
        bound = {meter.name: meter for meter in self.gateway.meters.values()}
        series = [self._series(bound[name], table) for name, table in grouped.items() if name in bound]
        events = self.spool.events_after(event)
        return News(
            [one for one in series if one.times],
            [self._event(one) for _, one in events if one.channel in self.gateway.channels],
            max((row.time_s for *_, row in found), default=slot),
            max((number for number, _ in events), default=event),
        )

    def _series(self, meter: Bound, table: dict[Obis, list[Row]]) -> Series:
        """The billed registers side by side, as its profile has them."""
        known = self.spool.known(meter.address)
        billed = [obis for obis in self.ledger.main(meter) if obis in known and is_cumulative(obis)]
        maps = [{row.time_s: row for row in table.get(obis, ())} for obis in billed]
        times = sorted(set.intersection(*(set(each) for each in maps))) if maps else []
        marks = [0] * len(times)
        for each in maps:
            marks = [mark | each[time].quality for mark, time in zip(marks, times, strict=True)]
        return Series(
            serial=meter.name,
            system_title=bytes(8).hex(),
            profile=str(HOURLY),
            period_s=self.ledger.period_s,
            columns=[
                Column(class_id=_REGISTER, obis=str(obis), attribute=2, scaler=known[obis][1], unit=known[obis][2])
                for obis in billed
            ],
            times=times,
            status=marks,
            values=[[each[time].raw for time in times] for each in maps],
        )

    def _event(self, event: Event) -> ReportEvent:
        return ReportEvent(
            serial=self.gateway.channels[event.channel].name,
            system_title=bytes(8).hex(),
            time=int(event.time_s),
            log=str(_LOG),
            code=int(event.code),
            text=event.detail[:200],
        )
