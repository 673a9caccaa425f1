"""Every interface class that is known, and the typed view of their attributes."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import Final

from meterway.base.errors import ConfigError, DecodeError
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.classes import (
    activity_calendar,
    association,
    clock,
    compact_data,
    disconnect_control,
    image_transfer,
    limiter,
    mbus_client,
    mobile,
    profile_generic,
    push_setup,
    register,
    register_monitor,
    schedule,
    script_table,
    security_setup,
    setup,
    status_mapping,
)
from meterway.stacks.dlms.classes.model import Attribute, InterfaceClass
from meterway.stacks.dlms.classes.types import OBIS, Mismatch

__all__ = ["interface_class", "interface_classes", "typed", "untyped"]

_TABLES: Final = (
    register,
    profile_generic,
    clock,
    script_table,
    association,
    image_transfer,
    setup,
    activity_calendar,
    register_monitor,
    schedule,
    push_setup,
    mobile,
    compact_data,
    status_mapping,
    security_setup,
    disconnect_control,
    limiter,
    mbus_client,
)


def _named() -> list[InterfaceClass]:
    """The classes of which only number, version and name are tabulated."""
    text = resources.files(__package__).joinpath("names.csv").read_text("utf-8")
    logical_name = (Attribute(1, "logical_name", OBIS, static=True),)
    return [
        InterfaceClass(int(row["class_id"]), int(row["version"]), row["name"], logical_name, complete=False)
        for row in csv.DictReader(text.splitlines())
    ]


@cache
def _by_version() -> dict[int, dict[int, InterfaceClass]]:
    found: dict[int, dict[int, InterfaceClass]] = {}
    for entry in [entry for table in _TABLES for entry in table.CLASSES] + _named():
        found.setdefault(entry.class_id, {})[entry.version] = entry
    return found


def interface_classes() -> tuple[InterfaceClass, ...]:
    """Every class in every version, by number and version."""
    known = _by_version()
    return tuple(known[class_id][version] for class_id in sorted(known) for version in sorted(known[class_id]))


def interface_class(class_id: int, version: int | None = None) -> InterfaceClass:
    """The table of a class; without a version the latest that is known. ConfigError if there is none."""
    versions = _by_version().get(class_id)
    if versions is None:
        raise ConfigError(f"interface class {class_id} is not known")
    if version is None:
        return versions[max(versions)]
    found = versions.get(version)
    if found is None:
        known = ", ".join(str(number) for number in sorted(versions))
        raise ConfigError(
            f"{versions[max(versions)].name} (class {class_id}) is known in version {known}, not {version}"
        )
    return found


def typed(
    class_id: int,
    attribute: int | str,
    data: Data,
    version: int | None = None,
    *,
    quirks: list[str] | None = None,
) -> object:
    """The plain typed value of an attribute as it was read.

    Never fails on data: what does not have the type of the table comes as ``axdr.native`` gives it. Deviations
    are added to ``quirks`` by name: ``attribute-type``, ``unknown-attribute``, ``integer-width``, ``null-data``,
    ``text-type``, ``tagged-date-time``, ``untagged-date-time``, ``empty-date-time``.
    """
    noted: list[str] = []
    try:
        return interface_class(class_id, version).attribute(attribute).type.typed(data, noted)
    except ConfigError:
        noted = ["unknown-attribute"]
    except (Mismatch, DecodeError):
        noted = ["attribute-type"]
    finally:
        if quirks is not None:
            quirks += [name for name in dict.fromkeys(noted) if name not in quirks]
    return _native(data)


def _native(data: Data) -> object:
    try:
        return axdr.native(data)
    except DecodeError:
        return data


def untyped(class_id: int, attribute: int | str, value: object, version: int | None = None) -> Data:
    """COSEM data of an attribute from its typed value or the plain form (mappings, lists, text).

    Raises ConfigError for an unknown class or attribute, LocalProtocolError for a value that does not fit.
    """
    return interface_class(class_id, version).attribute(attribute).type.untyped(value)
