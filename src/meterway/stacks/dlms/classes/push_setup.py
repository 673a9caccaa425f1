"""Push setup: what a meter sends of its own accord, where to, and when (class 40)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from meterway.base.obis import Obis
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.elements import CAPTURE_OBJECT
from meterway.stacks.dlms.classes.model import declare, dynamic, method, static
from meterway.stacks.dlms.classes.types import (
    ANY,
    DATE_TIME,
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    INTEGER,
    LONG_UNSIGNED,
    OBIS,
    OCTETS,
    TAGGED_DATE_TIME,
    UNSIGNED,
    array,
    choice,
    enumerated,
    structure,
)

__all__ = [
    "CLASSES",
    "CommunicationWindow",
    "ConfirmationParameters",
    "Destination",
    "PushObject",
    "RepetitionDelay",
    "Restriction",
    "TransportService",
]


class TransportService(IntEnum):
    """What a push is carried by."""

    TCP = 0
    UDP = 1
    FTP = 2
    SMTP = 3
    SMS = 4
    HDLC = 5
    MBUS = 6
    ZIGBEE = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where pushes go: the carrier, its address as octets, and the coding of the message."""

    transport_service: int
    destination: bytes
    message: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunicationWindow:
    """A time in which pushes may be sent; both ends may hold wildcards."""

    start: CosemDateTime | None
    end: CosemDateTime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepetitionDelay:
    """How long to wait before a retry, in seconds; it grows by the exponent (in hundredths) up to the maximum."""

    minimum: int
    exponent: int
    maximum: int

    def delay_s(self, retry: int) -> float:
        """The wait before a retry, the first has number 1."""
        return min(self.minimum * (self.exponent / 100) ** (retry - 1), self.maximum)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationParameters:
    """From when, and for how many seconds back, pushed rows are kept to be confirmed."""

    start: CosemDateTime | None
    interval: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """Which rows of a buffer are pushed: all (type 0), by date (1) or by entry (2)."""

    type: int
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class PushObject:
    """An attribute to push, of a buffer perhaps only some rows and columns."""

    class_id: int
    obis: Obis
    attribute: int
    data_index: int
    restriction: Restriction
    columns: tuple[object, ...]


_PUSH_OBJECT = structure(
    PushObject,
    LONG_UNSIGNED,
    OBIS,
    INTEGER,
    LONG_UNSIGNED,
    structure(Restriction, ENUM, ANY),
    array(CAPTURE_OBJECT),
)
_DESTINATION = structure(Destination, enumerated(TransportService), OCTETS, ENUM)
_CONFIRMATION = structure(ConfirmationParameters, TAGGED_DATE_TIME, DOUBLE_LONG_UNSIGNED)
_WINDOW = array(structure(CommunicationWindow, DATE_TIME, DATE_TIME))
_PORT = (
    static("port_reference", OBIS),
    static("push_client_sap", INTEGER),
    static("push_protection_parameters", array(ANY)),
)
_PUSH = method("push", INTEGER)
_FIRST = (
    static("push_object_list", array(CAPTURE_OBJECT)),
    static("send_destination_and_method", _DESTINATION),
    static("communication_window", _WINDOW),
    static("randomisation_start_interval", LONG_UNSIGNED),
    static("number_of_retries", UNSIGNED),
    static("repetition_delay", LONG_UNSIGNED),
)

CLASSES = (
    declare(40, 0, "Push setup", attributes=_FIRST, methods=(_PUSH,)),
    declare(40, 1, "Push setup", attributes=(*_FIRST, *_PORT), methods=(_PUSH,)),
    declare(
        40,
        2,
        "Push setup",
        attributes=(
            static("push_object_list", array(choice(_PUSH_OBJECT, CAPTURE_OBJECT))),
            *_FIRST[1:5],
            static("repetition_delay", structure(RepetitionDelay, LONG_UNSIGNED, LONG_UNSIGNED, LONG_UNSIGNED)),
            *_PORT,
            static("push_operation_method", ENUM),
            static(
                "confirmation_parameters", structure(ConfirmationParameters, TAGGED_DATE_TIME, DOUBLE_LONG_UNSIGNED)
            ),
            dynamic("last_confirmation_date_time", TAGGED_DATE_TIME),
        ),
        methods=(_PUSH, method("reset", INTEGER)),
    ),
)
