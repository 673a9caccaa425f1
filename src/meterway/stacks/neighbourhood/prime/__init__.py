"""PRIME (ITU-T G.9904, PRIME 1.3.6 and 1.4) as stations: MAC, ARQ, segmentation, 4-32 convergence sublayer.

What is of the norm, what is from memory and what is a model stands in docs/norms/neighbourhood-plc.md.
"""

from __future__ import annotations

from typing import Final

from meterway.stacks.neighbourhood.prime.base_node import BaseNode
from meterway.stacks.neighbourhood.prime.packet import Version
from meterway.stacks.neighbourhood.prime.service_node import ServiceNode
from meterway.stacks.neighbourhood.prime.settings import PrimeSettings
from meterway.stacks.neighbourhood.station import Admit, Coordinator, Station

__all__ = ["BaseNode", "PrimeSettings", "ServiceNode", "Version", "coordinator", "node"]

_USUAL: Final = PrimeSettings()


def coordinator(eui: bytes, admit: Admit, settings: PrimeSettings | None = None) -> Coordinator:
    """A base node; LocalProtocolError unless ``eui`` has eight octets."""
    return BaseNode(eui, admit, settings or _USUAL)


def node(eui: bytes, settings: PrimeSettings | None = None, key: bytes = b"") -> Station:
    """A service node. ``key`` is not used: only PRIME's security profile 0, which has none, is implemented."""
    return ServiceNode(eui, settings or _USUAL)
