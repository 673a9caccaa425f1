"""The gateway itself as logical device 1: its channels, its firmware, who is there."""

from __future__ import annotations

from typing import Final

from meterway.base.obis import Obis
from meterway.interfaces.mbus.objects.channels import channel_things
from meterway.interfaces.mbus.objects.image import older_firmware, own_image
from meterway.interfaces.mbus.objects.shared import shared
from meterway.interfaces.mbus.objects.table import Ask, Attr, Thing
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.dlms.tabled.table import text

__all__ = ["gateway_things"]

_FIRMWARE: Final = Obis(1, 0, 0, 2, 0)
_SAPS: Final = Obis(0, 0, 41, 0, 0)


def _saps(ask: Ask) -> Data:
    """The logical devices the party may see, by their address."""
    site, channels = ask.site, sorted(ask.site.ledger.gateway.channels)
    seen = [channel for channel in (0, *channels) if ask.party.may(Right.READ, channel)]
    names = {site.first_sap + one: axdr.octets(site.flag.encode() + site.title(one)[3:]) for one in seen}
    rows = [axdr.structure(axdr.u16(sap), name) for sap, name in names.items()]
    return axdr.array(*rows)


def gateway_things(ask: Ask) -> list[Thing]:
    """Every object of logical device 1."""
    firmware: Attr = Attr(lambda asked: text(asked.site.firmware))
    return [
        *shared(0),
        Thing(class_id=17, obis=_SAPS, attributes={2: Attr(_saps)}),
        Thing(class_id=1, obis=_FIRMWARE, attributes={2: firmware}),
        *channel_things(ask),
        own_image(),
        older_firmware(),
    ]
