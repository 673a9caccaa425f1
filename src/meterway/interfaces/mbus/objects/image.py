"""Image transfer (class 18): firmware of the gateway itself, and of its meters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meterway.base.errors import LocalProtocolError, SecurityError
from meterway.base.obis import Obis
from meterway.interfaces.mbus.delivery import Delivery, digest
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.firmware import is_older, opened, permitted
from meterway.interfaces.mbus.objects.client import guarded
from meterway.interfaces.mbus.objects.table import Ask, Attr, Call, Method, Thing
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.image_transfer import ImageBlock, ImageInitiate, ImageStatus, ImageTransfer
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.dlms.tabled.table import text
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["IMAGE", "OLDER", "PROGRESS", "image_thing", "meter_image", "older_firmware", "own_image"]

IMAGE: Final = Obis(0, 0, 44, 0, 0)
OLDER: Final = Obis(0, 0, 128, 9, 0)
"""Permits for firmware of the gateway that is older than what it ran."""
PROGRESS: Final = Obis(0, 0, 128, 8, 0)
"""How far the firmware of a meter is."""
_TABLE: Final = interface_class(18)
_NAMES: Final = {
    2: "block_size",
    3: "blocks_status",
    4: "first_not_transferred",
    5: "enabled",
    6: "status",
    7: "to_activate",
}
TransferOf = Callable[[Ask], ImageTransfer]


def begin(ask: Ask, value: Data, image: ImageTransfer) -> ActionResult:
    """``image_transfer_initiate``."""
    wanted = _TABLE.method(1).type.typed(value, [])
    if not isinstance(wanted, ImageInitiate):
        return ActionResult.TYPE_UNMATCHED
    if image.status is ImageStatus.ACTIVATION_INITIATED:
        return ActionResult.TEMPORARY_FAILURE  # one after the other: this one has yet to prove itself
    result = image.initiate(wanted.identifier, wanted.size)
    if result is ActionResult.SUCCESS:
        ask.site.ledger.images.keep(ask.channel, image)
    return result


def take_block(ask: Ask, value: Data, image: ImageTransfer) -> ActionResult:
    """``image_block_transfer``; a block is on the disk before it is acknowledged."""
    block = _TABLE.method(2).type.typed(value, [])
    if not isinstance(block, ImageBlock):
        return ActionResult.TYPE_UNMATCHED
    result = image.transfer_block(block.number, block.value)
    if result is ActionResult.SUCCESS:
        ask.site.ledger.images.keep_block(ask.channel, block.number, block.value)
    return result


def image_thing(of: TransferOf, verify: Call, activate: Call) -> Thing:
    """The object around a transfer; what makes an image genuine and what activates it is given."""

    def attribute(place: int) -> Attr:
        kind = _TABLE.attribute(place).type
        return Attr(lambda ask: kind.untyped(getattr(of(ask), _NAMES[place])))

    def enable(ask: Ask, value: Data) -> DataAccessResult:
        if not isinstance(value.value, bool):
            return DataAccessResult.TYPE_UNMATCHED
        of(ask).enabled = value.value
        return DataAccessResult.SUCCESS

    calls: tuple[Call, ...] = (
        lambda ask, value: begin(ask, value, of(ask)),
        lambda ask, value: take_block(ask, value, of(ask)),
        verify,
        activate,
    )
    attributes = {place: attribute(place) for place in _NAMES}
    attributes[5] = attributes[5]._replace(write=enable)
    return Thing(
        class_id=18,
        obis=IMAGE,
        attributes=attributes,
        methods={place: Method(guarded(call), Right.CONFIGURE) for place, call in enumerate(calls, 1)},
    )


# -- of the gateway itself ------------------------------------------------------------------------------------


def _checked(ask: Ask) -> Callable[[bytes], bytes | None]:
    """The signature of a genuine image; why one is refused goes into the event log."""

    def check(image: bytes) -> bytes | None:
        site = ask.site
        try:
            found = opened(image, site.image.identifier, site.maker)
            name = found.identification.decode("ascii", "replace")
            if is_older(name, site.proven) and found.identification != site.permitted:
                raise SecurityError(f"{name} is older than {site.proven}", "version")
            return found.signature
        except SecurityError as error:
            ask.site.ledger.gateway.log(ask.now, Code.FIRMWARE_REFUSED, 0, error.message)
            return None

    return check


def _verify(ask: Ask, _: Data) -> ActionResult:
    result = ask.site.image.verify(_checked(ask))
    if result is ActionResult.SUCCESS:
        name = ask.site.image.identifier.decode("ascii", "replace")
        ask.site.ledger.gateway.log(ask.now, Code.FIRMWARE_READY, 0, name)
    return result


def _activate(ask: Ask, _: Data) -> ActionResult:
    """Stage the image and ask for a restart: temporary-failure, as the norm has it for what is under way.

    The status says how it ended once the gateway is there again.
    """
    site = ask.site
    result = site.image.activate(_checked(ask))
    if site.image.status is not ImageStatus.ACTIVATION_INITIATED:
        return result
    image = opened(bytes(site.image.image), site.image.identifier, site.maker)
    site.permitted = b""
    site.stage(image.identification.decode("ascii", "replace"), image.content)
    site.ledger.images.drop(0)
    return ActionResult.TEMPORARY_FAILURE


def own_image() -> Thing:
    """The image transfer of the gateway."""
    return image_thing(lambda ask: ask.site.image, _verify, _activate)


def _permit(ask: Ask, value: Data) -> DataAccessResult:
    """Let one older firmware in, if the maker has signed that for this gateway."""
    site = ask.site
    if not isinstance(value.value, bytes):
        return DataAccessResult.TYPE_UNMATCHED
    try:
        site.permitted = permitted(value.value, site.serial, site.maker, ask.now)
    except SecurityError as error:
        site.ledger.gateway.log(ask.now, Code.FIRMWARE_REFUSED, 0, error.message)
        return DataAccessResult.READ_WRITE_DENIED
    return DataAccessResult.SUCCESS


def older_firmware() -> Thing:
    """Written with a permit, it lets one older firmware in; read, the identification of that, empty for none."""
    shown = Attr(lambda ask: axdr.octets(ask.site.permitted), write=_permit)
    return Thing(class_id=1, obis=OLDER, attributes={2: shown})


# -- of a meter -----------------------------------------------------------------------------------------------


def _delivery(ask: Ask) -> Delivery:
    return ask.site.ledger.gateway.delivery(ask.channel)


def _hold(ask: Ask, _: Data) -> ActionResult:
    """The gateway has it whole; whether it is genuine, the meter says when it has it."""
    return _delivery(ask).transfer.verify(digest)


def _hand_down(ask: Ask, _: Data) -> ActionResult:
    """Begin to tell the meter, when it listens; temporary-failure, as the norm has it for what is under way."""
    delivery = _delivery(ask)
    result = delivery.transfer.activate(digest)
    if delivery.transfer.status is not ImageStatus.ACTIVATION_INITIATED:
        return result
    try:
        ask.site.ledger.images.begin_delivery(ask.channel)
    except LocalProtocolError:
        delivery.transfer.finish_activation(successful=False)
        return ActionResult.OTHER_REASON
    if ask.site.meter(ask.channel).link == "wired":
        ask.site.poll(ask.channel)
    return ActionResult.TEMPORARY_FAILURE


def _progress(ask: Ask) -> Data:
    """Identification, what is done next, how many blocks there are and how many are missing, how the last one ended."""
    delivery = _delivery(ask)
    sender = delivery.sender
    return axdr.structure(
        axdr.octets(delivery.transfer.identifier),
        text("" if sender is None else sender.step.name.lower()),
        axdr.u32(0 if sender is None else sender.blocks),
        axdr.u32(0 if sender is None else sender.missing),
        text(delivery.told),
    )


def meter_image() -> list[Thing]:
    """The image transfer of a meter, and how far it is."""
    return [
        image_thing(lambda ask: _delivery(ask).transfer, _hold, _hand_down),
        Thing(class_id=1, obis=PROGRESS, attributes={2: Attr(_progress)}),
    ]
