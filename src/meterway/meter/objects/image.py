"""Firmware as the meter takes it: blocks, parity of ours, verification, activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meterway.base.errors import DecodeError
from meterway.mapping.image_parity import ParitySymbol
from meterway.meter.device import Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.firmware import image_signature
from meterway.meter.image_parity import ImageParity
from meterway.meter.objects.table import (
    Behaviour,
    Live,
    encoded_octets,
    parameter_of,
)
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data, Tag
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.image_transfer import ImageBlock, ImageInitiate, ImageStatus, ImageTransfer
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["IMAGE", "PARITY", "activate_image"]


def _image(meter: Meter) -> ImageTransfer:
    if meter.image is None:
        meter.image = ImageTransfer(enabled=True)
    return meter.image


_IDLE: Final = ImageTransfer(enabled=True)


def _of_image(attribute: int, value: Callable[[ImageTransfer], object]) -> Live:
    kind = interface_class(18).attribute(attribute).type
    return Live(lambda ask: axdr.encode(kind.untyped(value(ask.meter.image or _IDLE))))


def _initiate(meter: Meter, parameter: Data, now: float) -> ActionResult:
    wanted = parameter_of(18, 0, 1, parameter)
    if not isinstance(wanted, ImageInitiate):
        return ActionResult.TYPE_UNMATCHED
    meter.image_parity = None
    return _image(meter).initiate(wanted.identifier, wanted.size)


def _take_block(meter: Meter, parameter: Data, now: float) -> ActionResult:
    block = parameter_of(18, 0, 2, parameter)
    if not isinstance(block, ImageBlock):
        return ActionResult.TYPE_UNMATCHED
    result = _image(meter).transfer_block(block.number, block.value)
    if meter.image_parity is not None and result is ActionResult.SUCCESS:
        meter.image_parity.heard(block.number)
    return result


def _verify(meter: Meter, parameter: Data, now: float) -> ActionResult:
    result = _image(meter).verify(image_signature)
    good = result is ActionResult.SUCCESS
    meter.log(now, Log.STANDARD, EventCode.FIRMWARE_READY if good else EventCode.FIRMWARE_VERIFICATION_FAILED)
    return result


def activate_image(meter: Meter, parameter: Data, now: float) -> ActionResult:
    """Start the new firmware; a virtual meter does it at once."""
    image = _image(meter)
    result = image.activate(image_signature)
    if image.status is not ImageStatus.ACTIVATION_INITIATED:
        return result
    image.finish_activation(successful=True)
    meter.firmware = image.identifier
    meter.log(now, Log.STANDARD, EventCode.FIRMWARE_ACTIVATED)
    return ActionResult.SUCCESS


def _enable(meter: Meter, value: Data, now: float) -> DataAccessResult:
    if value.tag != Tag.BOOLEAN:
        return DataAccessResult.TYPE_UNMATCHED
    _image(meter).enabled = bool(value.value)
    return DataAccessResult.SUCCESS


IMAGE: Final = Behaviour(
    live={
        2: _of_image(2, lambda image: image.block_size),
        3: _of_image(3, lambda image: image.blocks_status),
        4: _of_image(4, lambda image: image.first_not_transferred),
        5: _of_image(5, lambda image: image.enabled)._replace(write=_enable),
        6: _of_image(6, lambda image: image.status),
        7: _of_image(7, lambda image: image.to_activate),
    },
    methods={1: _initiate, 2: _take_block, 3: _verify, 4: activate_image},
)


def _take_symbol(meter: Meter, value: Data, now: float) -> DataAccessResult:
    try:
        symbol = ParitySymbol.decode(axdr.native(value))
    except DecodeError:
        return DataAccessResult.TYPE_UNMATCHED
    if meter.image_parity is None:
        meter.image_parity = ImageParity(_image(meter))
    return DataAccessResult.SUCCESS if meter.image_parity.take(symbol) else DataAccessResult.OTHER_REASON


PARITY: Final = Behaviour(
    live={
        2: Live(
            lambda ask: encoded_octets((ask.meter.image_parity or ImageParity(ask.meter.image or _IDLE)).wanting()),
            _take_symbol,
        )
    }
)
"""Only in companion profiles that name the object: an option of ours."""
