"""IPv6 addresses that follow from link addresses: the interface identifier (IID) behind a prefix.

An EUI-64 gives itself with the universal/local bit turned (RFC 4944). A short address gives ``0000:00ff:fe00:XXXX``
(RFC 6282), or, as G3 has it from RFC 4944, the PAN id (universal/local bit zero) in place of the four zeros.
"""

from __future__ import annotations

from typing import Final

from meterway.stacks.neighbourhood.ieee802154.frame import Address

__all__ = ["ALL_NODES", "LINK_LOCAL", "LinkLocal", "link_local", "short_iid"]

LINK_LOCAL: Final = bytes.fromhex("fe80000000000000")
"""The link-local prefix, eight octets."""
ALL_NODES: Final = bytes.fromhex("ff020000000000000000000000000001")
"""All nodes on the link."""
_MIDDLE: Final = bytes.fromhex("00fffe00")
_UNIVERSAL: Final = 0x02


def short_iid(short: int, pan: int = 0) -> bytes:
    """The IID of a short address; ``pan`` 0 is RFC 6282's form."""
    return (pan & ~(_UNIVERSAL << 8)).to_bytes(2, "big") + _MIDDLE + short.to_bytes(2, "big")


class LinkLocal:
    """How one network makes IIDs; ``pan`` 0 for RFC 6282, the PAN id for G3."""

    __slots__ = ("_pan",)

    def __init__(self, pan: int = 0) -> None:
        self._pan = pan

    def iid(self, address: Address) -> bytes:
        """The eight octets that follow from a link address."""
        if isinstance(address, int):
            return short_iid(address, self._pan)
        return bytes([address[0] ^ _UNIVERSAL]) + address[1:]

    def middle(self) -> bytes:
        """The six octets before a short address that is written in two."""
        return short_iid(0, self._pan)[:6]

    def address(self, address: Address) -> bytes:
        """The link-local IPv6 address of a link address."""
        return LINK_LOCAL + self.iid(address)


def link_local(address: Address, pan: int = 0) -> bytes:
    """The link-local IPv6 address of a link address."""
    return LinkLocal(pan).address(address)
