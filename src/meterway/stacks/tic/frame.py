"""Frames of the télé-information client: groups of label, time, data and check sum, in historical and standard form.

A group stands between LF and CR. Historical: label, data and check sum with spaces between; the check sum covers label
to data. Standard: label, sometimes a time, data and check sum with HT between; it covers all up to the last HT. The
check sum is the sum of the characters, of which six bits are kept, and 20 hex. Source: Enedis-NOI-CPT_54E.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from meterway.base.errors import DecodeError

__all__ = ["TicFrame", "TicGroup", "check_sum", "decode_frame", "group_of"]

_LABEL: Final = re.compile(r"[A-Z][A-Z0-9]{1,8}(?:[+-][0-9]?)?")
_HORODATE: Final = re.compile(r"[EHeh ]\d{12}")
_LOST_TABS: Final = re.compile(r"(\S+)\s+(?:([EHeh ]\d{12})(?:\s+|$))?(.*?)\s+(\S)")
_ENDS: Final = re.compile(r"[\r\n\x02\x03\x04]+")
_STRIP_PARITY: Final = bytes(value & 0x7F for value in range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class TicGroup:
    """One group whose check sum held: ``horodate`` is the time as it was sent, empty where there is none."""

    label: str
    data: str
    horodate: str = ""
    is_standard: bool = False
    quirk: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicFrame:
    """The groups of a frame; ``unread`` holds lines that are none or whose check sum did not hold.

    Quirks: ``parity-bit``, ``group-checksum``, ``tabs-lost``, ``last-space-lost``.
    """

    groups: tuple[TicGroup, ...]
    unread: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()


def check_sum(text: str) -> str:
    """The check character over ``text``."""
    return chr((sum(map(ord, text)) & 0x3F) + 0x20)


def group_of(line: str) -> TicGroup | None:
    """The group in a line without its ends; None if it is none or its check sum does not hold."""
    if "\t" in line:
        return _standard(line)
    if len(line) > 3 and line[-2] == " " and check_sum(line[:-2]) == line[-1]:
        return _historical(line[:-2])
    if check_sum(line.rstrip()) == " " and " " in line.strip():
        return _historical(line.rstrip(), quirk="last-space-lost")
    return _without_tabs(line)


def _historical(covered: str, quirk: str = "") -> TicGroup | None:
    label, _, data = covered.partition(" ")
    return TicGroup(label=label, data=data, quirk=quirk) if _LABEL.fullmatch(label) and data else None


def _standard(line: str) -> TicGroup | None:
    covered, _, sent = line.rpartition("\t")
    label, *rest = covered.split("\t")
    if len(sent) != 1 or check_sum(covered + "\t") != sent or not _LABEL.fullmatch(label) or not 1 <= len(rest) <= 2:
        return None
    if len(rest) == 1:
        return TicGroup(label=label, data=rest[0], is_standard=True)
    if not _HORODATE.fullmatch(rest[0]):
        return None
    return TicGroup(label=label, horodate=rest[0], data=rest[1], is_standard=True)


def _without_tabs(line: str) -> TicGroup | None:
    """A standard group whose tabs became spaces on the way, if its check sum holds with tabs in their places."""
    match = _LOST_TABS.fullmatch(line.strip())
    if match is None:
        return None
    label, horodate, data, sent = match.groups()
    parts = (label, horodate, data) if horodate else (label, data)
    if not _LABEL.fullmatch(label) or check_sum("".join(f"{part}\t" for part in parts)) != sent:
        return None
    return TicGroup(label=label, horodate=horodate or "", data=data, is_standard=True, quirk="tabs-lost")


def decode_frame(octets: bytes) -> TicFrame:
    """All groups whose check sums hold; DecodeError (checksum, frame) if there is none."""
    text = octets.translate(_STRIP_PARITY).decode("ascii")
    lines = [line for line in _ENDS.split(text) if line.strip()]
    found = [(line, group_of(line)) for line in lines]
    groups = tuple(group for _, group in found if group is not None)
    unread = tuple(line for line, group in found if group is None)
    if not groups:
        kind, words = ("checksum", "no group has a check sum that holds") if unread else ("frame", "no group in it")
        raise DecodeError(words, 0, kind)
    quirks = [group.quirk for group in groups if group.quirk]
    if max(octets) > 0x7F:
        quirks.append("parity-bit")
    if unread:
        quirks.append("group-checksum")
    return TicFrame(groups=groups, unread=unread, quirks=tuple(dict.fromkeys(quirks)))
