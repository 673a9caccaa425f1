"""The conformance block: which services an association may use (IEC 62056-5-3)."""

from __future__ import annotations

from enum import IntFlag

__all__ = ["Conformance"]


class Conformance(IntFlag):
    """24 bits; bit 0 of the norm is the most significant one."""

    NONE = 0
    GENERAL_PROTECTION = 1 << 22
    GENERAL_BLOCK_TRANSFER = 1 << 21
    READ = 1 << 20
    WRITE = 1 << 19
    UNCONFIRMED_WRITE = 1 << 18
    DELTA_VALUE_ENCODING = 1 << 17
    ATTRIBUTE_0_WITH_SET = 1 << 15
    PRIORITY = 1 << 14
    ATTRIBUTE_0_WITH_GET = 1 << 13
    BLOCK_TRANSFER_WITH_GET = 1 << 12
    BLOCK_TRANSFER_WITH_SET = 1 << 11
    BLOCK_TRANSFER_WITH_ACTION = 1 << 10
    MULTIPLE_REFERENCES = 1 << 9
    INFORMATION_REPORT = 1 << 8
    DATA_NOTIFICATION = 1 << 7
    ACCESS = 1 << 6
    PARAMETERIZED_ACCESS = 1 << 5
    GET = 1 << 4
    SET = 1 << 3
    SELECTIVE_ACCESS = 1 << 2
    EVENT_NOTIFICATION = 1 << 1
    ACTION = 1

    @property
    def names(self) -> list[str]:
        """The services in words, in the norm's order."""
        return [flag.name.lower().replace("_", "-") for flag in Conformance if flag & self and flag.name]
