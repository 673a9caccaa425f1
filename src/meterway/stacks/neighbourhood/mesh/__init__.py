"""A radio mesh like Wi-SUN's, in a smaller form of our own: 802.15.4 frames, 6LoWPAN, UDP.

Norms: frames and their security (IEEE 802.15.4-2006, frames of 127 octets), 6LoWPAN (RFC 4944, 6282), IPv6, UDP.
**Model**: how a device joins. Wi-SUN asks for certificates (802.1X, EAP-TLS) and a four-way handshake; here it is G3's
bootstrapping, EAP-PSK in LBP messages, behind the same command dispatch. Channel hopping and routing (RPL) are the
medium's model.
"""

from typing import Final

from meterway.stacks.neighbourhood.station import Admit
from meterway.stacks.neighbourhood.wpan import PlainFraming, Profile, Settings, WpanCoordinator, WpanNode

__all__ = ["FRAME", "OVERHEAD", "PROFILE", "Settings", "coordinator", "node"]

FRAME: Final = 127
"""The longest frame, in octets, FCS included."""
OVERHEAD: Final = 9 + 6 + 4 + 2
"""What a secured frame between short addresses has beside its payload: header, security header, MIC, FCS."""
PROFILE: Final = Profile(name="mesh", framing=PlainFraming(), room=FRAME - OVERHEAD)


def coordinator(eui: bytes, admit: Admit, settings: Settings | None = None) -> WpanCoordinator:
    """The border router in the concentrator."""
    return WpanCoordinator(eui, admit, PROFILE, settings or Settings())


def node(eui: bytes, settings: Settings | None = None, key: bytes = b"") -> WpanNode:
    """A device; ``key`` of 16 octets."""
    return WpanNode(eui, PROFILE, settings or Settings(), key)
