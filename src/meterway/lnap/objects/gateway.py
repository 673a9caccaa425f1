"""The gateway itself as logical device 1: its channels, its diagnostics, installation, firmware."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from meterway.base.obis import Obis
from meterway.lnap.device import Fate
from meterway.lnap.events import Code
from meterway.lnap.objects.client import SHOWN_CHANNELS, guarded, mbus_client, valve_control
from meterway.lnap.objects.meter import extended_register, registers_of
from meterway.lnap.objects.shared import shared
from meterway.lnap.objects.table import Ask, Attr, Call, Method, Thing, fixed, number, octets, scaler_unit, text
from meterway.lnap.rules import Right
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data, Tag
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.image_transfer import ImageBlock, ImageInitiate, ImageStatus
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["DIAGNOSTICS", "INSTALLATION", "gateway_things", "image_signature"]

INSTALLATION: Final = Obis(0, 0, 128, 3, 0)
"""Seconds that the installation mode lasts; set, it begins."""
_PROPOSALS: Final = Obis(0, 0, 128, 4, 0)
_FIRMWARE: Final = Obis(1, 0, 0, 2, 0)
_IMAGE: Final = Obis(0, 0, 44, 0, 0)
_IMAGE_TABLE: Final = interface_class(18)
_SAPS: Final = Obis(0, 0, 41, 0, 0)
_COUNT, _OCTETS = 255, 255
_DIGEST: Final = 32

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


# -- firmware ---------------------------------------------------------------------------------------------


def image_signature(image: bytes) -> bytes | None:
    """The SHA-256 that ends a whole image; None if it is not that of the rest. It shows damage, not who made it."""
    digest = hashlib.sha256(image[:-_DIGEST]).digest()
    return digest if len(image) > _DIGEST and hmac.compare_digest(digest, image[-_DIGEST:]) else None


def _begin_image(ask: Ask, value: Data) -> ActionResult:
    wanted = _IMAGE_TABLE.method(1).type.typed(value, [])
    if not isinstance(wanted, ImageInitiate):
        return ActionResult.TYPE_UNMATCHED
    return ask.site.image.initiate(wanted.identifier, wanted.size)


def _take_block(ask: Ask, value: Data) -> ActionResult:
    block = _IMAGE_TABLE.method(2).type.typed(value, [])
    if not isinstance(block, ImageBlock):
        return ActionResult.TYPE_UNMATCHED
    return ask.site.image.transfer_block(block.number, block.value)


def _verify(ask: Ask, _: Data) -> ActionResult:
    result = ask.site.image.verify(image_signature)
    code = Code.FIRMWARE_READY if result is ActionResult.SUCCESS else Code.FIRMWARE_REFUSED
    ask.site.ledger.gateway.log(ask.now, code)
    return result


def _activate(ask: Ask, _: Data) -> ActionResult:
    """The new image counts from now on; the process that runs it is started anew by whoever started this one."""
    image = ask.site.image
    result = image.activate(image_signature)
    if image.status is not ImageStatus.ACTIVATION_INITIATED:
        return result
    image.finish_activation(successful=True)
    ask.site.firmware = image.identifier.decode("ascii", "replace")
    ask.site.ledger.keep_image(image.identifier, bytes(image.image))
    ask.site.ledger.gateway.log(ask.now, Code.FIRMWARE_ACTIVATED, 0, ask.site.firmware)
    return ActionResult.SUCCESS


def _enable(ask: Ask, value: Data) -> DataAccessResult:
    if not isinstance(value.value, bool):
        return DataAccessResult.TYPE_UNMATCHED
    ask.site.image.enabled = value.value
    return DataAccessResult.SUCCESS


def _image() -> Thing:
    def of(place: int, name: str) -> Attr:
        kind = _IMAGE_TABLE.attribute(place).type
        return Attr(lambda ask: kind.untyped(getattr(ask.site.image, name)))

    calls: tuple[Call, ...] = (_begin_image, _take_block, _verify, _activate)
    return Thing(
        class_id=18,
        obis=_IMAGE,
        attributes={
            2: of(2, "block_size"),
            3: of(3, "blocks_status"),
            4: of(4, "first_not_transferred"),
            5: of(5, "enabled")._replace(write=_enable),
            6: of(6, "status"),
            7: of(7, "to_activate"),
        },
        methods={place: Method(guarded(call), Right.CONFIGURE) for place, call in enumerate(calls, 1)},
    )


# -- all of it --------------------------------------------------------------------------------------------


def _saps(ask: Ask) -> Data:
    """The logical devices the party may see, by their address."""
    site, channels = ask.site, sorted(ask.site.ledger.gateway.channels)
    seen = [channel for channel in (0, *channels) if ask.party.may(Right.READ, channel)]
    names = {site.first_sap + one: octets(site.flag.encode() + site.title(one)[3:]) for one in seen}
    rows = [axdr.structure(axdr.u16(sap), name) for sap, name in names.items()]
    return axdr.array(*rows)


def _channel_things(ask: Ask) -> list[Thing]:
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


def gateway_things(ask: Ask) -> list[Thing]:
    """Every object of logical device 1."""
    firmware = Attr(lambda asked: text(asked.site.firmware))
    remaining, proposals = Attr(_remaining, _install), Attr(_proposals, _reject)
    return [
        *shared(0),
        Thing(class_id=17, obis=_SAPS, attributes={2: Attr(_saps)}),
        Thing(class_id=1, obis=_FIRMWARE, attributes={2: firmware}),
        *_diagnostics(),
        Thing(class_id=1, obis=INSTALLATION, attributes={2: remaining}),
        Thing(class_id=1, obis=_PROPOSALS, attributes={2: proposals}),
        _image(),
        *_channel_things(ask),
    ]
