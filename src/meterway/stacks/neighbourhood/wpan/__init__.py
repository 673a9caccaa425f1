"""Stations over IPv6: 802.15.4-like frames, 6LoWPAN, UDP, the DLMS wrapper. G3 and the radio mesh are profiles of it.

**Delivery.** UDP is not confirmed, and neither is anything here: what a hop repeats after a missing acknowledgement is
the medium's model, what is missing in the end is for the response time-out of the DLMS client. A coordinator gives
``Undelivered`` for what it sent to a member that it has not heard since, when the member turns out to have been away:
it joins again, leaves, is expelled or has been silent too long. A frame that comes twice is taken once (its frame
counter says so); a datagram that is not whole in a minute is dropped; so nothing wrong, doubled or mixed gets up.

**Addresses.** The medium carries a frame from any node to any other; hops, routing (LOADng, RPL) and the forwarding of
a joining device's messages by an agent (LBA) are the medium's, and the MAC addresses are those of the two ends.

**The group key** is one for all: a member can pass for another one or for the coordinator below DLMS. End to end
security is the affair of DLMS/COSEM, as in the norms.
"""

from meterway.stacks.neighbourhood.wpan.coordinator import WpanCoordinator
from meterway.stacks.neighbourhood.wpan.node import WpanNode
from meterway.stacks.neighbourhood.wpan.profile import PlainFraming, Profile, Settings

__all__ = ["PlainFraming", "Profile", "Settings", "WpanCoordinator", "WpanNode"]
