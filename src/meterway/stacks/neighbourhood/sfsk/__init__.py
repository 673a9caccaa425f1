"""S-FSK power line (IEC 61334-4-1, -4-32, -4-512; profile of IEC 62056-8-3) as stations: MAC frames, LLC, CIASE.

What is of the norm, what is from memory and what is a model stands in docs/norms/neighbourhood-plc.md.
"""

from __future__ import annotations

from meterway.stacks.neighbourhood.sfsk.initiator import SfskInitiator
from meterway.stacks.neighbourhood.sfsk.server import SfskServer
from meterway.stacks.neighbourhood.sfsk.settings import SfskSettings
from meterway.stacks.neighbourhood.station import Admit, Coordinator, Station

__all__ = ["SfskInitiator", "SfskServer", "SfskSettings", "coordinator", "node"]


def coordinator(eui: bytes, admit: Admit, settings: SfskSettings | None = None) -> Coordinator:
    """An initiator; LocalProtocolError unless ``eui`` has eight octets."""
    return SfskInitiator(eui, admit, settings or SfskSettings())


def node(eui: bytes, settings: SfskSettings | None = None, key: bytes = b"") -> Station:
    """A server. ``key`` is not used: S-FSK has no security of its own."""
    return SfskServer(eui, settings or SfskSettings())
