"""The client side of DLMS: how a head end or a hand-held unit talks to a meter."""

from meterway.stacks.dlms.client.engine import DlmsClient
from meterway.stacks.dlms.client.events import (
    ActionDone,
    ActionListDone,
    Associated,
    ClientEvent,
    Failed,
    GetDone,
    GetListDone,
    PushReceived,
    Quirk,
    Released,
    SetDone,
)
from meterway.stacks.dlms.client.settings import ClientSettings

__all__ = [
    "ActionDone",
    "ActionListDone",
    "Associated",
    "ClientEvent",
    "ClientSettings",
    "DlmsClient",
    "Failed",
    "GetDone",
    "GetListDone",
    "PushReceived",
    "Quirk",
    "Released",
    "SetDone",
]
