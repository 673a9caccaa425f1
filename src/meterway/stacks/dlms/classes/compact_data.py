"""Compact data: captured values without their types, told by a template (class 62)."""

from __future__ import annotations

from enum import IntEnum

from meterway.stacks.dlms.classes.elements import CAPTURE_OBJECT
from meterway.stacks.dlms.classes.model import declare, dynamic, method, static
from meterway.stacks.dlms.classes.types import INTEGER, OCTETS, UNSIGNED, array, enumerated

__all__ = ["CLASSES", "CaptureMethod"]


class CaptureMethod(IntEnum):
    """What makes the buffer be filled."""

    ON_INVOKE = 0
    IMPLICIT = 1


CLASSES = (
    declare(
        62,
        0,
        "Compact data",
        attributes=(
            dynamic("compact_buffer", OCTETS),
            static("capture_objects", array(CAPTURE_OBJECT)),
            static("template_id", UNSIGNED),
            static("template_description", OCTETS),
            static("capture_method", enumerated(CaptureMethod)),
        ),
        methods=(method("reset", INTEGER), method("capture", INTEGER)),
    ),
)
