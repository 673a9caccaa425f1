"""The nodes of a bulk report as rows of the node table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meterway.base.errors import DecodeError
from meterway.mapping.neighbourhood import HEARD_SAP, NodeRole, NodeRow, NodeState
from meterway.model.report import Report

__all__ = ["rows_of"]

_STATES: Final = {
    "member": NodeState.MEMBER,
    "away": NodeState.AWAY,
    "proposed": NodeState.PROPOSED,
    "cascade": NodeState.CASCADE,
    "heard": NodeState.HEARD,
}


def rows_of(report: Report, saps: Mapping[bytes, int]) -> list[NodeRow]:
    """A report says nothing of mirrors: ``saps`` are those known, by EUI; those of heard meters follow their channel.

    DecodeError for a parent that is no EUI.
    """
    return [
        NodeRow(
            serial=node.serial,
            system_title=_known(bytes.fromhex(node.system_title)),
            eui=bytes.fromhex(node.eui),
            state=_STATES[node.state],
            address=node.address,
            parent=_eui(f"topology[{index}].parent", node.parent),
            hops=node.hops,
            quality=node.quality,
            heard=node.heard,
            joined=node.joined,
            sap=HEARD_SAP + node.address if node.state == "heard" else saps.get(bytes.fromhex(node.eui), 0),
            role=NodeRole[node.role.upper()],
            name=bytes.fromhex(node.name),
        )
        for index, node in enumerate(report.topology)
    ]


def _known(title: bytes) -> bytes:
    """A title of zeros stands for one that the concentrator does not know."""
    return title if any(title) else b""


def _eui(place: str, text: str) -> bytes:
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b"?"
    if len(octets) not in (0, 8):
        raise DecodeError(f"{place}: {text!r} is no EUI", 0, "report")
    return octets
