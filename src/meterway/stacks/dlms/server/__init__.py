"""The server side of DLMS: what a meter is on the wire."""

from meterway.stacks.dlms.server.broadcast import BroadcastDevice, BroadcastKeys, BroadcastServer
from meterway.stacks.dlms.server.engine import DlmsServer
from meterway.stacks.dlms.server.host import Association, DeviceSecurity, LogicalDevice
from meterway.stacks.dlms.server.session import ServerSession

__all__ = [
    "Association",
    "BroadcastDevice",
    "BroadcastKeys",
    "BroadcastServer",
    "DeviceSecurity",
    "DlmsServer",
    "LogicalDevice",
    "ServerSession",
]
