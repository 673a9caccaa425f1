"""A data readout as it was captured: identification or not, STX and check character or not, in one piece.

A meter of mode A, B or C sends its data between STX and ETX with a check character, one of mode D without. What a
capture lost is accepted and named; a check character that is there must fit. Lines are read more kindly than
``messages`` does, which speaks for one side of an exchange. Source: IEC 62056-21, 6.5 as its public readouts show it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from meterway.base.errors import DecodeError
from meterway.stacks.iec21.messages import ETX, STX, bcc

__all__ = ["Readout", "ReadoutLine", "decode_readout", "looks_like_readout"]

_STRIP_PARITY: Final = bytes(value & 0x7F for value in range(256))
_CODE: Final = r"(?:\d{1,3}-\d{1,3}:)?[0-9CFLP]{1,3}\.[0-9CFLP]{1,3}(?:\.\d{1,3})?(?:[*&.]\d{1,3})?"
_LINE: Final = re.compile(rf"({_CODE})?((?:\([^()]*\))+)\s*")
_VALUE: Final = re.compile(r"\(([^()]*)\)")
_LOOKS: Final = re.compile(rf"\x02?{_CODE}\([^()\n]{{0,200}}\)")
_LETTER: Final = re.compile(r"(?m)^\x02?(?:\d{1,3}-\d{1,3}:)?[CFLP]\.")
_LONG_CODE: Final = re.compile(r"(?m)^\x02?\d{1,3}-\d{1,3}:\d")
_HIGH_CR: Final = b"\x8d\n"
_MOST: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadoutLine:
    """One line: the code as it was spelled (empty: more of the line before) and the texts in parentheses."""

    code: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout:
    """What a meter told: ``identification`` without its slash, its lines, and lines that are none (``unread``).

    ``is_checked`` says that a check character was there and fitted. Quirks: ``parity-bit``, ``no-identification``,
    ``no-check-character``, ``no-end-mark``, ``unreadable-line``.
    """

    identification: str
    lines: tuple[ReadoutLine, ...]
    is_checked: bool = False
    unread: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()


def looks_like_readout(octets: bytes) -> bool:
    """Whether these octets are a readout rather than a P1 telegram: framed by STX, or with reduced codes."""
    text = octets[:_MOST].translate(_STRIP_PARITY).decode("ascii")
    body = text.lstrip("\r\n ")
    if body.startswith("/"):
        first, _, body = body.partition("\n")
        if len(first) > 100:
            return False
        body = body.lstrip("\r\n ")
    if not _LOOKS.match(body):
        return False
    return body.startswith("\x02") or _LETTER.search(body) is not None or _LONG_CODE.search(body) is None


def decode_readout(octets: bytes) -> Readout:
    """Read it; DecodeError: ``bcc`` for a check character that does not fit, ``readout`` if nothing can be read."""
    quirks: list[str] = []
    plain = octets.translate(_STRIP_PARITY)
    if octets[:1] == b"\xaf" or _HIGH_CR in octets:
        quirks.append("parity-bit")
    identification, start = _identification(plain, quirks)
    body, is_checked = _body(plain, start, quirks)
    lines: list[ReadoutLine] = []
    unread: list[str] = []
    for text in body.split("\n"):
        match = _LINE.fullmatch(text.strip())
        if match is not None:
            lines.append(ReadoutLine(code=match[1] or "", values=tuple(_VALUE.findall(match[2]))))
        elif text.strip():
            unread.append(text.strip())
    if not lines:
        raise DecodeError("no line of a readout in it", start, "readout")
    if unread:
        quirks.append("unreadable-line")
    return Readout(
        identification=identification,
        lines=tuple(lines),
        is_checked=is_checked,
        unread=tuple(unread),
        quirks=tuple(quirks),
    )


def _identification(plain: bytes, quirks: list[str]) -> tuple[str, int]:
    slash = plain.find(b"/")
    end = plain.find(b"\n", slash)
    if slash < 0 or end < 0 or plain[:slash].strip():
        quirks.append("no-identification")
        return "", 0
    return plain[slash + 1 : end].decode("ascii").strip(), end + 1


def _body(plain: bytes, start: int, quirks: list[str]) -> tuple[str, bool]:
    """The lines, and whether their check character was there; it must fit if it is."""
    stx = plain.find(bytes((STX,)), start)
    etx = plain.rfind(bytes((ETX,)), start, len(plain) - 1)
    is_checked = 0 <= stx < etx
    if is_checked and bcc(plain[stx + 1 : etx + 1]) != plain[etx + 1]:
        raise DecodeError("the check character does not fit", etx + 1, "bcc")
    if not is_checked and stx >= 0:
        quirks.append("no-check-character")
    body = plain[max(start, stx + 1) : etx if is_checked else len(plain)].rstrip(bytes((ETX,)))
    mark = body.rfind(b"!")
    if mark < 0 or body[:mark].rstrip(b" ")[-1:] not in (b"\n", b"\r", b""):
        quirks.append("no-end-mark")
        mark = len(body)
    return body[:mark].decode("ascii"), is_checked
