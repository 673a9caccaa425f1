"""Firmware images that come from above, block by block in the gateway's file: a power cut costs none of them."""

from __future__ import annotations

from typing import Final

import msgspec

from meterway.interfaces.mbus.delivery import digest
from meterway.interfaces.mbus.device import Gateway
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.meters import Bound
from meterway.interfaces.mbus.store import Spool
from meterway.stacks.dlms.classes.image_transfer import ImageTransfer
from meterway.stacks.dlms.xdlms.results import ActionResult

__all__ = ["Images"]

_NAMES: Final = "image:{}:"


class Images:
    """The images of the gateway (channel 0) and of its meters, as they are kept."""

    def __init__(self, gateway: Gateway, spool: Spool) -> None:
        self._gateway = gateway
        self._spool = spool

    def keep(self, channel: int, image: ImageTransfer) -> None:
        """Keep that a transfer began; blocks of the one before are forgotten."""
        head = msgspec.msgpack.encode((image.identifier, len(image.image), image.block_size))
        with self._spool.transaction():
            self.drop(channel)
            self._spool.keep_state(_NAMES.format(channel) + "head", head)

    def keep_block(self, channel: int, number: int, block: bytes) -> None:
        """Keep a block; durable when it returns."""
        with self._spool.transaction():
            self._spool.keep_state(f"{_NAMES.format(channel)}block:{number:08d}", block)

    def drop(self, channel: int) -> None:
        """An image is no longer wanted."""
        with self._spool.transaction():
            self._spool.drop_states(_NAMES.format(channel))

    def restore(self, channel: int, image: ImageTransfer) -> ImageTransfer:
        """The transfer as it stood when the process ended: the blocks that came, to go on from there."""
        head = self._spool.state(_NAMES.format(channel) + "head")
        if head:
            identifier, size, block_size = msgspec.msgpack.decode(head, type=tuple[bytes, int, int])
            image.block_size = block_size
            if image.initiate(identifier, size) is ActionResult.SUCCESS:
                for name, block in self._spool.states(_NAMES.format(channel) + "block:").items():
                    image.transfer_block(int(name), block)
        return image

    # -- of meters --------------------------------------------------------------------------------------------

    def begin_delivery(self, channel: int) -> None:
        """Hand an image down to its meter, also after a restart; LocalProtocolError if it cannot be."""
        self._gateway.delivery(channel).begin()
        with self._spool.transaction():
            self._spool.keep_state(_NAMES.format(channel) + "going", b"1")

    def settle(self, meter: Bound, now: float) -> bool:
        """Whether firmware has come to its end at its meter: that is logged, and the image is forgotten."""
        delivery = self._gateway.deliveries.get(meter.channel)
        ended = None if delivery is None else delivery.finish()
        if ended is None:
            return False
        code = Code.FIRMWARE_ACTIVATED if ended[0] else Code.FIRMWARE_REFUSED
        self._gateway.log(now, code, meter.channel, ended[1])
        self.drop(meter.channel)
        return True

    def restore_delivery(self, channel: int) -> None:
        """An image that came, or was on its way down, when the process ended."""
        if not self._spool.state(_NAMES.format(channel) + "head"):
            return
        delivery = self._gateway.delivery(channel)
        self.restore(channel, delivery.transfer)
        if self._spool.state(_NAMES.format(channel) + "going") and delivery.transfer.complete:
            delivery.transfer.activate(digest)
            delivery.begin()
