"""Alarms of a concentrator (NNAP): what stands wrong in its neighbourhood, and what did of late.

A data object (class 1) with a code of our own (OBIS groups C 128 and above are the manufacturer's). An alarm is known
by its kind, whom it is about and when it was raised: told twice, it is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data

__all__ = ["ALARMS", "Alarm", "AlarmKind", "alarm_bits", "decode_alarms", "encode_alarms"]

ALARMS: Final = Obis(0, 0, 128, 17, 0)
"""Data, value: array of the structures of ``Alarm``, those that stand and the last that ended; read only."""
_TOP: Final = 0xFFFFFFFF
_LONGEST: Final = 200


class AlarmKind(IntEnum):
    """What is wrong."""

    LOST = 1
    """A node is not heard any more."""
    FLAPPING = 2
    """A node changes the way it is reached again and again."""
    BRANCH = 3
    """A node that others are reached through is gone, and they with it."""
    STRANGER = 4
    """Somebody who is not on the list asks to be let in."""
    MEDIUM = 5
    """Much of what is sent on the network is lost."""
    COMPLETENESS = 6
    """Many meters have not been read for long: the day will not be whole."""
    BALANCE = 7
    """More is lost behind the transformer, or less, than the band allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm. Times are Unix seconds; ``cleared`` is 0 while it stands.

    ``subject`` is the serial of a node, its EUI in hex where it has none, or empty for the whole network. ``count``
    says how many nodes are concerned.
    """

    kind: AlarmKind
    subject: str
    raised: int
    cleared: int = 0
    count: int = 1
    text: str = ""

    @property
    def stands(self) -> bool:
        """Whether it has not ended."""
        return not self.cleared

    def encode(self) -> Data:
        """One structure of six."""
        return axdr.structure(
            axdr.enum(self.kind),
            axdr.octets(self.subject.encode()),
            axdr.u32(self.raised),
            axdr.u32(self.cleared),
            axdr.u16(self.count),
            axdr.octets(self.text.encode()),
        )

    @classmethod
    def decode(cls, row: object) -> Self:
        """From the native form of one structure; DecodeError for anything else."""
        match row:
            case [int(kind), bytes(subject), int(raised), int(cleared), int(count), bytes(text)]:
                return cls(
                    kind=_kind(kind),
                    subject=_text(subject, 64),
                    raised=_within(raised, _TOP),
                    cleared=_within(cleared, _TOP),
                    count=_within(count, 0xFFFF),
                    text=_text(text, _LONGEST),
                )
        raise DecodeError("an alarm is a structure of six", 0, "alarm")


def encode_alarms(alarms: Iterable[Alarm]) -> bytes:
    """Alarms as an encoded value."""
    return axdr.encode(axdr.array(*(one.encode() for one in alarms)))


def decode_alarms(octets: bytes) -> tuple[Alarm, ...]:
    """Alarms from their encoded value; DecodeError if any is none."""
    rows, end = axdr.to_native(octets)
    if end != len(octets):
        raise DecodeError(f"{len(octets) - end} octets after the value", end, "trailing")
    if not isinstance(rows, list):
        raise DecodeError("the alarms are an array", 0, "alarm")
    return tuple(map(Alarm.decode, rows))


def alarm_bits(alarms: Iterable[Alarm]) -> int:
    """The kinds that stand, a bit each, as an alarm register (32 bits) shows them: bit 0 is kind 1."""
    bits = 0
    for one in alarms:
        if one.stands:
            bits |= 1 << one.kind - 1
    return bits


def _kind(value: int) -> AlarmKind:
    try:
        return AlarmKind(value)
    except ValueError:
        raise DecodeError(f"{value} is no kind of alarm", 0, "alarm") from None


def _text(octets: bytes, most: int) -> str:
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise DecodeError("an alarm is told in text", 0, "alarm") from None
    if len(text) > most or (text and not text.isprintable()):
        raise DecodeError(f"a text of an alarm has up to {most} printable characters", 0, "alarm")
    return text


def _within(value: int, top: int) -> int:
    if isinstance(value, bool) or not 0 <= value <= top:
        raise DecodeError(f"{value} is not within 0 and {top}", 0, "alarm")
    return value
