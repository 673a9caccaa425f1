"""What a push says: which device, and its alarms, in the order its push setup lists them."""

from __future__ import annotations

from meterway.interfaces.mbus.objects.shared import PUSH_ALARM
from meterway.interfaces.mbus.site import Site
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.tabled.table import date_time
from meterway.stacks.dlms.xdlms.notification import DataNotification

__all__ = ["push_notification"]


def push_notification(site: Site, channel: int, *, invoke: int, now: float, alarms: int | None = None) -> bytes:
    """The whole DataNotification APDU of a logical device, in clear; its alarms as they were, or as they are now."""
    told = site.alarms.get(channel, 0) if alarms is None else alarms
    name = site.flag.encode() + site.title(channel)[3:]
    body = axdr.structure(axdr.octets(PUSH_ALARM.encode()), axdr.octets(name), axdr.u32(told))
    stamp = date_time(now).value
    octets = stamp if isinstance(stamp, bytes) else b""
    return DataNotification(invoke=invoke, date_time=octets, body=axdr.encode(body)).encode()
