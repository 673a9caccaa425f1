"""The MAC frames of IEEE 802.15.4, as low-rate radio and, behind a header of its own, G3 power line send them."""

from meterway.stacks.neighbourhood.ieee802154.frame import (
    BROADCAST,
    Address,
    FrameKind,
    MacFrame,
    SecurityHeader,
    check_fcs,
    with_fcs,
)
from meterway.stacks.neighbourhood.ieee802154.security import ReplayWindow, nonce, open_frame, seal_frame

__all__ = [
    "BROADCAST",
    "Address",
    "FrameKind",
    "MacFrame",
    "ReplayWindow",
    "SecurityHeader",
    "check_fcs",
    "nonce",
    "open_frame",
    "seal_frame",
    "with_fcs",
]
