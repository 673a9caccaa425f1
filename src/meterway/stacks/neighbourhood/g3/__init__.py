"""Power line like G3 (ITU-T G.9903): its MAC and adaptation layer as far as known, bootstrapping with EAP-PSK.

As far as known, from published implementations and a published dissector (Renesas): LBP with its codes, parameters and
EAP-PSK inside, command frames, mesh and broadcast headers before packets, the PAN id in IPv6 addresses, security level
5 under a group key (GMK) of index 0 or 1, its nonce, segment control and FCS. **Model**: LOADng, tone maps,
acknowledgements and segments are the medium's; the bootstrapping agent's forwarding too. Not done: a change of the
group key while devices stay in.
"""

from typing import Final

from meterway.stacks.neighbourhood.g3.segment import SegmentFraming
from meterway.stacks.neighbourhood.station import Admit
from meterway.stacks.neighbourhood.wpan import Profile, Settings, WpanCoordinator, WpanNode

__all__ = ["FRAME", "OVERHEAD", "PROFILE", "Settings", "coordinator", "node"]

FRAME: Final = 400
"""The longest frame, in octets, segment control and FCS included."""
OVERHEAD: Final = 3 + 9 + 6 + 4 + 2
"""A secured frame beside its payload: segment control, header, security header, MIC, FCS."""
PROFILE: Final = Profile(
    name="g3",
    framing=SegmentFraming(),
    room=FRAME - OVERHEAD,
    hops=8,
    pan_in_iid=True,
    short_nonce=True,
    key_offset=0,
)


def coordinator(eui: bytes, admit: Admit, settings: Settings | None = None) -> WpanCoordinator:
    """The PAN coordinator in the concentrator."""
    return WpanCoordinator(eui, admit, PROFILE, settings or Settings())


def node(eui: bytes, settings: Settings | None = None, key: bytes = b"") -> WpanNode:
    """A device; ``key`` of 16 octets."""
    return WpanNode(eui, PROFILE, settings or Settings(), key)
