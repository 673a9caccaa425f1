"""The concentrator itself as logical device 1: its nodes, orders to groups, who may join, clock, logs, firmware."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import partial
from typing import Final

from meterway.base.errors import ConfigError, DecodeError
from meterway.base.obis import Obis
from meterway.mapping.alarms import ALARMS, encode_alarms
from meterway.mapping.neighbourhood import GROUP_ORDERS, NODES, GroupOrder, encode_nodes, encode_reports
from meterway.nnap.admission import ADMISSION, Admission
from meterway.nnap.events import Code, Event
from meterway.nnap.image import Firmware
from meterway.nnap.objects.balance import balance_things
from meterway.nnap.objects.table import Ask, Attr, Method, Thing
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data
from meterway.stacks.dlms.classes import interface_class, typed
from meterway.stacks.dlms.classes.image_transfer import ImageBlock, ImageInitiate, ImageStatus
from meterway.stacks.dlms.classes.types import Mismatch
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.dlms.tabled.profile import event_profile
from meterway.stacks.dlms.tabled.table import clock, data_object, date_time, text
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["METER_IMAGE", "own_things"]

METER_IMAGE: Final = Obis(0, 1, 44, 0, 0)
"""Image transfer of the image for the meters; activated, it is given to all of them by broadcast."""
_IMAGE: Final = interface_class(18)
_DIGEST: Final = 32
_CODE, _SECURITY_CODE = Obis(0, 0, 96, 11, 0), Obis(0, 0, 96, 11, 1)
_LOG, _SECURITY_LOG = Obis(0, 0, 99, 98, 0), Obis(0, 0, 99, 98, 1)


def _set_time(ask: Ask, value: Data) -> DataAccessResult:
    try:
        wanted = typed(8, 2, value)
    except DecodeError:
        return DataAccessResult.TYPE_UNMATCHED
    moment = wanted.utc(0) if isinstance(wanted, CosemDateTime) else None
    if moment is None:
        return DataAccessResult.OTHER_REASON
    ask.site.clock_offset_s += moment.timestamp() - ask.now
    ask.site.ledger.keep_clock(ask.site.clock_offset_s)
    ask.site.log(moment.timestamp(), Code.CLOCK_SET, detail=f"by {ask.party.name}")
    return DataAccessResult.SUCCESS


# -- nodes and orders -------------------------------------------------------------------------------------


def _order(ask: Ask, value: Data) -> DataAccessResult:
    try:
        ask.site.orders.take(GroupOrder.decode(axdr.encode(value)), ask.now)
    except DecodeError:
        return DataAccessResult.TYPE_UNMATCHED
    except ConfigError:
        return DataAccessResult.OTHER_REASON
    return DataAccessResult.SUCCESS


def _admit(ask: Ask, value: Data) -> DataAccessResult:
    """The keys come protected by the association."""
    try:
        Admission.decode(axdr.encode(value)).carry_out(ask.site.concentrator, ask.site.ledger, ask.now)
    except DecodeError:
        return DataAccessResult.TYPE_UNMATCHED
    except ConfigError:
        return DataAccessResult.OBJECT_UNAVAILABLE
    return DataAccessResult.SUCCESS


def _saps(ask: Ask) -> Data:
    """The logical devices there are, by their address."""
    roll = ask.site.ledger.roll
    channels = [0, *(one for one, node in sorted(roll.channels.items()) if node.is_read)]
    names = {one + 1: ask.site.name(one) for one in channels}
    if ask.site.collector is not None:
        names |= {row.sap: row.serial for row in ask.site.collector.rows()}
    return axdr.array(*[axdr.structure(axdr.u16(sap), text(name)) for sap, name in names.items()])


# -- logs -------------------------------------------------------------------------------------------------


def _events(ask: Ask, from_s: float, to_s: float, *, security: bool) -> list[Event]:
    ask.site.ledger.flush(ask.site.concentrator)
    # rows show whole seconds: an event within the last one belongs to it
    return ask.site.ledger.store.events(security=security, from_s=int(from_s), to_s=int(to_s) + 0.999)


def _last_code(ask: Ask, *, security: bool) -> Data:
    found = _events(ask, 0.0, ask.now + 1, security=security)
    return axdr.u8(int(found[-1].code) if found else 0)


def _logs() -> list[Thing]:
    things: list[Thing] = []
    for log, code, security in ((_LOG, _CODE, False), (_SECURITY_LOG, _SECURITY_CODE, True)):
        last, events = partial(_last_code, security=security), partial(_events, security=security)
        things += [data_object(code, Attr(last)), event_profile(log, code, events, most=10_000)]
    return things


# -- firmware of the meters ---------------------------------------------------------------------------------


def _signature(image: bytes) -> bytes | None:
    """The SHA-256 that ends a whole image; None if it is not that of the rest. It shows damage, not who made it."""
    digest = hashlib.sha256(image[:-_DIGEST]).digest()
    return digest if len(image) > _DIGEST and hmac.compare_digest(digest, image[-_DIGEST:]) else None


def _parameter(place: int, value: Data) -> object:
    try:
        return _IMAGE.method(place).type.typed(value, [])
    except Mismatch:
        return None


def _begin_image(ask: Ask, value: Data) -> ActionResult:
    wanted = _parameter(1, value)
    if not isinstance(wanted, ImageInitiate):
        return ActionResult.TYPE_UNMATCHED
    return ask.site.image.initiate(wanted.identifier, wanted.size)


def _take_block(ask: Ask, value: Data) -> ActionResult:
    block = _parameter(2, value)
    if not isinstance(block, ImageBlock):
        return ActionResult.TYPE_UNMATCHED
    return ask.site.image.transfer_block(block.number, block.value)


def _activate(ask: Ask, _: Data) -> ActionResult:
    """The image is whole here; from now on the meters get it."""
    image = ask.site.image
    result = image.activate(_signature)
    if image.status is not ImageStatus.ACTIVATION_INITIATED:
        return result
    began = ask.site.begin_firmware(Firmware(identifier=image.identifier, image=bytes(image.image)), ask.now)
    image.finish_activation(successful=began)
    return ActionResult.SUCCESS if began else ActionResult.OTHER_REASON


def _image() -> Thing:
    def of(place: int, name: str) -> Attr:
        kind = _IMAGE.attribute(place).type
        return Attr(lambda ask: kind.untyped(getattr(ask.site.image, name)))

    calls: tuple[Callable[[Ask, Data], ActionResult], ...] = (
        _begin_image,
        _take_block,
        lambda ask, _: ask.site.image.verify(_signature),
        _activate,
    )
    return Thing(
        class_id=18,
        obis=METER_IMAGE,
        attributes={
            2: of(2, "block_size"),
            3: of(3, "blocks_status"),
            4: of(4, "first_not_transferred"),
            5: of(5, "enabled"),
            6: of(6, "status"),
            7: of(7, "to_activate"),
        },
        methods={place: Method(call) for place, call in enumerate(calls, 1)},
    )


def own_things() -> list[Thing]:
    """Every object of logical device 1."""
    name: Attr = Attr(lambda ask: axdr.octets(ask.site.flag.encode() + ask.site.title(0)[3:]))
    return [
        Thing(class_id=17, obis=Obis(0, 0, 41, 0, 0), attributes={2: Attr(_saps)}),
        data_object(Obis(0, 0, 42, 0, 0), name),
        data_object(Obis(0, 0, 96, 1, 0), Attr(lambda ask: text(ask.site.serial))),
        data_object(Obis(1, 0, 0, 2, 0), Attr(lambda ask: text(ask.site.firmware))),
        clock(Attr(lambda ask: date_time(ask.now), _set_time)),
        data_object(NODES, Attr(lambda ask: encode_nodes(ask.site.node_rows()))),
        data_object(
            GROUP_ORDERS, Attr(lambda ask: encode_reports(ask.site.orders.reports()), _order, right=Right.COMMAND)
        ),
        data_object(ADMISSION, Attr(lambda ask: axdr.u32(len(ask.site.concentrator.proposals)), _admit)),
        *balance_things(),
        data_object(ALARMS, Attr(lambda ask: encode_alarms(ask.site.alarms()))),
        *_logs(),
        _image(),
    ]
