"""6LoWPAN: IPv6 and UDP in small frames, by header compression and fragments (RFC 4944, RFC 6282)."""

from meterway.stacks.neighbourhood.lowpan.adaptation import Adaptation, Command, LinkFrame, Packet
from meterway.stacks.neighbourhood.lowpan.address import ALL_NODES, LinkLocal, link_local, short_iid
from meterway.stacks.neighbourhood.lowpan.ip import Datagram, Ipv6Packet, read_datagram, write_datagram

__all__ = [
    "ALL_NODES",
    "Adaptation",
    "Command",
    "Datagram",
    "Ipv6Packet",
    "LinkFrame",
    "LinkLocal",
    "Packet",
    "link_local",
    "read_datagram",
    "short_iid",
    "write_datagram",
]
