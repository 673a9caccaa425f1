"""Mobile network: GPRS modem setup and GSM diagnostic (classes 45, 47)."""

from __future__ import annotations

from dataclasses import dataclass

from meterway.stacks.dlms.classes.model import declare, dynamic, static
from meterway.stacks.dlms.classes.types import (
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    LONG_UNSIGNED,
    OCTETS,
    TAGGED_DATE_TIME,
    UNSIGNED,
    VISIBLE,
    array,
    structure,
)

__all__ = ["CLASSES", "AdjacentCell", "CellInfo", "CellInfoV1", "QosElement", "QualityOfService"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QosElement:
    """The quality of service that a packet data connection has or asks for."""

    precedence: int
    delay: int
    reliability: int
    peak_throughput: int
    mean_throughput: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityOfService:
    """The quality of service by default and as requested."""

    default: QosElement
    requested: QosElement


@dataclass(frozen=True, slots=True, kw_only=True)
class CellInfo:
    """The serving cell."""

    cell_id: int
    location_id: int
    signal_quality: int
    ber: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellInfoV1:
    """The serving cell with the codes of country and network and the channel."""

    cell_id: int
    location_id: int
    signal_quality: int
    ber: int
    mcc: int
    mnc: int
    channel_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjacentCell:
    """A neighbour cell."""

    cell_id: int
    signal_quality: int


_QOS = structure(QosElement, UNSIGNED, UNSIGNED, UNSIGNED, UNSIGNED, UNSIGNED)
_CELL = structure(CellInfo, LONG_UNSIGNED, LONG_UNSIGNED, UNSIGNED, UNSIGNED)
_CELL_V1 = structure(
    CellInfoV1,
    DOUBLE_LONG_UNSIGNED,
    LONG_UNSIGNED,
    UNSIGNED,
    UNSIGNED,
    LONG_UNSIGNED,
    LONG_UNSIGNED,
    DOUBLE_LONG_UNSIGNED,
)
_STATE = (
    dynamic("operator", VISIBLE),
    dynamic("status", ENUM),
    dynamic("cs_attachment", ENUM),
    dynamic("ps_status", ENUM),
)

CLASSES = (
    declare(
        45,
        0,
        "GPRS modem setup",
        attributes=(
            static("apn", OCTETS),
            static("pin_code", LONG_UNSIGNED),
            static("quality_of_service", structure(QualityOfService, _QOS, _QOS)),
        ),
    ),
    declare(
        47,
        0,
        "GSM diagnostic",
        attributes=(
            *_STATE,
            dynamic("cell_info", _CELL),
            dynamic("adjacent_cells", array(structure(AdjacentCell, LONG_UNSIGNED, UNSIGNED))),
            dynamic("capture_time", TAGGED_DATE_TIME),
        ),
    ),
    declare(
        47,
        1,
        "GSM diagnostic",
        attributes=(
            *_STATE,
            dynamic("cell_info", _CELL_V1),
            dynamic("adjacent_cells", array(structure(AdjacentCell, DOUBLE_LONG_UNSIGNED, UNSIGNED))),
            dynamic("capture_time", TAGGED_DATE_TIME),
        ),
    ),
)
