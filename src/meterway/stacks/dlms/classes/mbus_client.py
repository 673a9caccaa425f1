"""M-Bus client: a meter of another utility behind this one (class 72)."""

from __future__ import annotations

from dataclasses import dataclass

from meterway.stacks.dlms.classes.model import declare, dynamic, method, static
from meterway.stacks.dlms.classes.types import (
    ANY,
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    INTEGER,
    LONG_UNSIGNED,
    OBIS,
    OCTETS,
    UNSIGNED,
    array,
    structure,
)

__all__ = ["CLASSES", "CaptureDefinition", "DataDefinition"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureDefinition:
    """A value to capture, by the data and value information blocks it must carry."""

    data_information_block: bytes
    value_information_block: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DataDefinition:
    """A value to send to the slave, with its data and value information blocks."""

    data_information_block: bytes
    value_information_block: bytes
    data: object


_ATTRIBUTES = (
    static("mbus_port_reference", OBIS),
    static("capture_definition", array(structure(CaptureDefinition, OCTETS, OCTETS))),
    static("capture_period", DOUBLE_LONG_UNSIGNED),
    dynamic("primary_address", UNSIGNED),
    dynamic("identification_number", DOUBLE_LONG_UNSIGNED),
    dynamic("manufacturer_id", LONG_UNSIGNED),
    dynamic("version", UNSIGNED),
    dynamic("device_type", UNSIGNED),
    dynamic("access_number", UNSIGNED),
    dynamic("status", UNSIGNED),
    dynamic("alarm", UNSIGNED),
)
_METHODS = (
    method("slave_deinstall", INTEGER),
    method("capture", INTEGER),
    method("reset_alarm", INTEGER),
    method("synchronize_clock", INTEGER),
    method("data_send", array(structure(DataDefinition, OCTETS, OCTETS, ANY))),
    method("set_encryption_key", OCTETS),
    method("transfer_key", OCTETS),
)

CLASSES = (
    declare(72, 0, "M-Bus client", attributes=_ATTRIBUTES, methods=(method("slave_install", ANY), *_METHODS)),
    declare(
        72,
        1,
        "M-Bus client",
        attributes=(*_ATTRIBUTES, dynamic("configuration", LONG_UNSIGNED), dynamic("encryption_key_status", ENUM)),
        methods=(method("slave_install", UNSIGNED), *_METHODS),
    ),
)
