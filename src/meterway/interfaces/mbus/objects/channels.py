"""What shows an access point's meters as a whole: its channels, its diagnostics, the installation mode."""

from __future__ import annotations

from typing import Final

from meterway.base.obis import Obis
from meterway.interfaces.mbus.device import Fate
from meterway.interfaces.mbus.objects.client import SHOWN_CHANNELS, mbus_client, valve_control
from meterway.interfaces.mbus.objects.meter import extended_register, registers_of
from meterway.interfaces.mbus.objects.table import Ask, Attr, Thing
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data, Tag
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.dlms.tabled.table import fixed, number, scaler_unit, text
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["DIAGNOSTICS", "INSTALLATION", "channel_things"]

INSTALLATION: Final = Obis(0, 0, 128, 3, 0)
"""Seconds that the installation mode lasts; set, it begins."""
_PROPOSALS: Final = Obis(0, 0, 128, 4, 0)
_METERS: Final = Obis(0, 0, 128, 4, 1)
_COUNT: Final = 255

DIAGNOSTICS: Final[tuple[str, ...]] = (*(fate.value for fate in Fate), "spool octets", "dropped", "meters", "silent")
"""What the registers 0-0:128.2.1 and on count."""


def _diagnosis(ask: Ask, name: str) -> int:
    ledger = ask.site.ledger
    if name == "spool octets":
        return ledger.spool.octets
    if name == "dropped":
        return ledger.spool.dropped
    if name in ("meters", "silent"):
        return sum(name == "meters" or meter.silent for meter in ledger.gateway.meters.values())
    return ledger.gateway.counts[Fate(name)]


def _diagnostics() -> list[Thing]:
    return [
        Thing(
            class_id=3,
            obis=Obis(0, 0, 128, 2, place),
            attributes={
                2: Attr(lambda ask, name=name: number(_diagnosis(ask, name))),  # type: ignore[misc]
                3: fixed(scaler_unit(0, _COUNT)),
            },
        )
        for place, name in enumerate(DIAGNOSTICS, 1)
    ]


# -- installation -----------------------------------------------------------------------------------------


def _remaining(ask: Ask) -> Data:
    return axdr.u32(max(int(ask.site.ledger.gateway.installing_until_s - ask.now), 0))


def _install(ask: Ask, value: Data) -> DataAccessResult:
    if not isinstance(value.value, int) or not 0 <= value.value <= 86400:
        return DataAccessResult.TYPE_UNMATCHED
    ask.site.ledger.gateway.install(ask.now + value.value, ask.now)
    return DataAccessResult.SUCCESS


def _proposals(ask: Ask) -> Data:
    """Meters that wait to be bound: address, link, how often heard, signal."""
    found = ask.site.ledger.gateway.proposals.values()
    rows = [
        axdr.structure(
            text(str(one.address)),
            text(one.link),
            axdr.u32(one.count),
            axdr.i16(round(one.rssi_dbm) if one.rssi_dbm is not None else 0),
        )
        for one in found
    ]
    return axdr.array(*rows)


def _meters(ask: Ask) -> Data:
    """The meters the party may read: channel and address (8 octets as on the air); M-Bus clients end at channel 64."""
    rows = [
        axdr.structure(axdr.u16(channel), axdr.octets(meter.address.to_radio()))
        for channel, meter in sorted(ask.site.ledger.gateway.channels.items())
        if ask.party.may(Right.READ, channel)
    ]
    return axdr.array(*rows)


def _reject(ask: Ask, value: Data) -> DataAccessResult:
    """Writing the address of a proposed meter (8 octets as on the air) rejects it."""
    gateway = ask.site.ledger.gateway
    if value.tag != Tag.OCTET_STRING or not isinstance(value.value, bytes):
        return DataAccessResult.TYPE_UNMATCHED
    found = next((one for one in gateway.proposals if one.to_radio() == value.value), None)
    if found is None:
        return DataAccessResult.OBJECT_UNAVAILABLE
    gateway.reject(found)
    return DataAccessResult.SUCCESS


# -- all of it --------------------------------------------------------------------------------------------


def _by_channel(ask: Ask) -> list[Thing]:
    things = []
    for channel in SHOWN_CHANNELS:
        bound = ask.site.ledger.gateway.channels.get(channel)
        if not (ask.party.may(Right.READ, channel) or ask.party.may(Right.CONFIGURE, channel)):
            continue
        things.append(mbus_client(channel))
        if bound is not None:
            asked = ask._replace(channel=channel)
            things += [
                _on_channel(extended_register(obis, Obis(0, channel, 24, 2, place)), channel)
                for place, obis in enumerate(registers_of(asked), 1)
            ]
            things += [valve_control(channel)] if bound.valve is not None else []
    return things


def _on_channel(thing: Thing, channel: int) -> Thing:
    """An object of a meter, shown by the gateway: it is asked of the meter's channel."""
    attributes = {
        place: Attr(lambda ask, read=attr.read: read(ask._replace(channel=channel)))  # type: ignore[misc]
        for place, attr in thing.attributes.items()
    }
    return Thing(class_id=thing.class_id, obis=thing.obis, attributes=attributes)


def channel_things(ask: Ask) -> list[Thing]:
    """Diagnostics, installation, and for each channel its M-Bus client and what its meter shows."""
    remaining, proposals = Attr(_remaining, _install), Attr(_proposals, _reject)
    return [
        *_diagnostics(),
        Thing(class_id=1, obis=INSTALLATION, attributes={2: remaining}),
        Thing(class_id=1, obis=_PROPOSALS, attributes={2: proposals}),
        Thing(class_id=1, obis=_METERS, attributes={2: Attr(_meters)}),
        *_by_channel(ask),
    ]
