"""The grammar of a P1 telegram, both ways: ``/XXXZ ident``, data lines ``A-B:C.D.E(value)(value)``, ``!CRC``.

The octets are read as Latin-1, so that every octet has its character and comes back the same. What a line
says is kept as text; ``values`` gives it a type. Nothing is dropped: a line that is no object is kept as it came.
Source: DSMR P1 companion standard 5.0.2; IEC 62056-21 mode D.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from meterway.base.crc import arc
from meterway.base.errors import ConfigError, DecodeError
from meterway.base.obis import Obis

__all__ = ["P1Object", "RawLine", "Telegram", "decode", "encode", "seal", "split"]

_LINE: Final = re.compile(
    r"(?:((?:\d{1,3}-\d{1,3}:)?\d{1,3}\.\d{1,3}(?:\.\d{1,3})?(?:[.*&]\d{1,3})?)"
    r"\(([^\r\n]*(?:\)\r?\n\([^\r\n]*)*)\)|((?:[^\r\n]|\r(?!\n))+)|)(?:\r?\n|\Z)"
)
_BREAK: Final = re.compile(r"\)\r?\n\(")
_BEGIN: Final = re.compile(rb"(?<=\n)(?=[/\xaf])")
_CRC_TEXT: Final = re.compile(r"[0-9A-Fa-f]{1,4}")
_STRIP_PARITY: Final = bytes(value & 0x7F for value in range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class P1Object:
    """One data line: the quantity and the texts between its parentheses, in order.

    ``code`` is the quantity as it was spelled. ``breaks`` names the parts that stand on a line of their own
    (DSMR 2.2 and 3 send the gas volume below its line).
    """

    obis: Obis
    parts: tuple[str, ...]
    code: str
    breaks: tuple[int, ...] = ()

    @classmethod
    def of(cls, code: str, *parts: str) -> P1Object:
        """An object from its code and its parts; ConfigError if the code is none."""
        return cls(obis=Obis.parse(code), parts=parts, code=code)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLine:
    """A line that is not an object, as it came; ``before`` counts the objects that stand before it."""

    before: int
    text: str


_BLANK_LINE: Final = RawLine(before=0, text="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """A P1 telegram: ``identification`` without the slash, its objects in order with duplicates kept.

    ``crc`` is what was sent, None where none was. ``others`` holds the lines that are not objects: the blank line
    after the identification and whatever could not be read. ``eol`` is the line end, ``end`` what follows the CRC.
    ``quirks`` names what did not conform.
    """

    identification: str
    objects: tuple[P1Object, ...]
    crc: int | None = None
    others: tuple[RawLine, ...] = (_BLANK_LINE,)
    eol: str = "\r\n"
    end: str = "\r\n"
    quirks: tuple[str, ...] = ()

    def find(self, code: str) -> P1Object | None:
        """The first object of that code (``1-0:1.8.1``), or None."""
        wanted = _obis(code)
        return next((entry for entry in self.objects if entry.obis == wanted), None)


@lru_cache(maxsize=4096)
def _obis(code: str) -> Obis | None:
    try:
        return Obis.parse(code)
    except ConfigError:
        return None


def decode(octets: bytes, *, crc: bool = True) -> Telegram:
    """Read one telegram, from its ``/`` to its ``!CRC``.

    DecodeError: ``crc`` when a CRC was sent and does not match (not with ``crc=False``), ``truncated`` when
    the telegram ends within a line, ``identification`` when nothing in it looks like a telegram.
    Quirks: ``parity-bit``, ``text-before-start``, ``no-identification``, ``no-end-mark``, ``text-after-end``,
    ``crc-missing``, ``crc-unpadded``, ``crc-lowercase``, ``crc-over-crlf``, ``crc-unchecked``, ``crc-mismatch``,
    ``lf-line-ends``, ``mixed-line-ends``, ``unreadable-line``, ``reduced-code``, ``parentheses-in-text``.
    """
    quirks: list[str] = []
    if octets[:1] == b"\xaf" or b"\x8d\n" in octets:
        octets = octets.translate(_STRIP_PARITY)
        quirks.append("parity-bit")
    start = _start(octets, quirks)
    mark = octets.find(b"\n!", start)
    if mark < 0:
        body, last = octets[start:], b""
        if not body.rstrip().endswith(b")"):
            raise DecodeError("the telegram ends before its '!'", len(octets), "truncated")
        quirks.append("no-end-mark")
    else:
        body, last = octets[start : mark + 1], octets[mark + 2 :]
    identified = "no-identification" not in quirks
    sent, end = _split_end(last.decode("latin-1"), mark + 2, quirks, strict=crc)
    held = None
    if sent:
        held = int(sent, 16)
        _check(octets[start : mark + 2] if identified else None, sent, mark + 2, quirks, strict=crc)
    telegram = _parse(body.decode("latin-1"), held, end, quirks, identified=identified)
    if not identified and not telegram.objects:
        raise DecodeError("neither an identification nor a data line: not a P1 telegram", start, "identification")
    return telegram


def split(octets: bytes) -> list[bytes]:
    """Cut a capture into its telegrams, each with what follows it up to the next; lines before the first ``/`` count.

    Unlike ``P1Stream`` it keeps telegrams without an end or a beginning, for ``decode`` to judge.
    """
    return [part for part in _BEGIN.split(octets) if part.strip()]


def _start(octets: bytes, quirks: list[str]) -> int:
    """Where the ``/`` stands; the first octet if the telegram has lost it."""
    slash = octets.find(b"/")
    opening = octets.find(b"(")
    if slash < 0 or 0 <= opening < slash:
        quirks.append("no-identification")
        return 0
    if octets[:slash].strip():
        quirks.append("text-before-start")
    return slash


def _split_end(last: str, offset: int, quirks: list[str], *, strict: bool) -> tuple[str, str]:
    """The CRC's digits (empty if none were sent) and the text after them."""
    line = last.split("\n", 1)[0].rstrip()
    if line and not _CRC_TEXT.fullmatch(line):
        if strict:
            raise DecodeError(f"{line[:16]!r} after the '!' is not a CRC of four hexadecimal digits", offset, "crc")
        line = ""
    end = last[len(line) :]
    if end.strip():
        quirks.append("text-after-end")
    return line, end


def _check(covered: bytes | None, sent: str, offset: int, quirks: list[str], *, strict: bool) -> None:
    """Compare the CRC over everything from ``/`` to ``!`` with the one sent."""
    if len(sent) < 4:
        quirks.append("crc-unpadded")
    if sent != sent.upper():
        quirks.append("crc-lowercase")
    if covered is None:
        quirks.append("crc-unchecked")
        return
    computed = arc(covered)
    if computed == int(sent, 16):
        return
    if b"\r" not in covered and arc(covered.replace(b"\n", b"\r\n")) == int(sent, 16):
        quirks.append("crc-over-crlf")
        return
    if strict:
        raise DecodeError(f"the CRC does not match: computed {computed:04X}, sent {sent}", offset, "crc")
    quirks.append("crc-mismatch")


def _parse(body: str, crc: int | None, end: str, quirks: list[str], *, identified: bool) -> Telegram:
    identification = ""
    eol = "\r\n" if "\r\n" in body else "\n"
    if identified:
        first, _, body = body.partition("\n")
        identification = first[1:].removesuffix("\r")
    if eol == "\n":
        quirks.append("lf-line-ends")
    elif body.count("\n") != body.count("\r\n"):
        quirks.append("mixed-line-ends")
    objects, others = _lines(body)
    if any(other.text.strip() for other in others):
        quirks.append("unreadable-line")
    if any(":" not in entry.code for entry in objects):
        quirks.append("reduced-code")
    opened = len(objects) + body.count(")(") + body.count("\n(")
    if not others[1:] and (body.count("(") != opened or body.count(")") != opened):
        quirks.append("parentheses-in-text")
    if crc is None and end.strip() == "" and _wants_crc(objects):
        quirks.append("crc-missing")
    return Telegram(
        identification=identification,
        objects=tuple(objects),
        crc=crc,
        others=tuple(others),
        eol=eol,
        end=end,
        quirks=tuple(quirks),
    )


def _lines(body: str) -> tuple[list[P1Object], list[RawLine]]:
    objects: list[P1Object] = []
    others: list[RawLine] = []
    rows = _LINE.findall(body)
    rows.pop()  # the empty match at the very end
    for code, inner, text in rows:
        entry = (_object(code, inner) if len(inner) <= _REMEMBERED else _read(code, inner)) if code else None
        if entry is None:
            others.append(RawLine(before=len(objects), text=f"{code}({inner})" if code else text))
        else:
            objects.append(entry)
    return objects, others


def _read(code: str, inner: str) -> P1Object | None:
    obis = _obis(code)
    if obis is None:
        return None
    if "\n" not in inner:
        return P1Object(obis=obis, parts=tuple(inner.split(")(")), code=code)
    parts: list[str] = []
    breaks: list[int] = []
    for line in _BREAK.split(inner):
        if parts:
            breaks.append(len(parts))
        parts += line.split(")(")
    return P1Object(obis=obis, parts=tuple(parts), code=code, breaks=tuple(breaks))


_object: Final = lru_cache(maxsize=4096)(_read)
"""Short lines are remembered: most lines of a meter's next telegram are those of the last one."""
_REMEMBERED: Final = 80


_VERSION: Final = Obis.parse("1-3:0.2.8")


def _wants_crc(objects: list[P1Object]) -> bool:
    """DSMR 4 and later always send a CRC; they are the ones that say their version."""
    return any(entry.obis == _VERSION for entry in objects)


def encode(telegram: Telegram) -> bytes:
    """The octets of a telegram; the CRC is written as it is held (``seal`` computes it)."""
    crc = "" if telegram.crc is None else f"{telegram.crc:04X}"
    return _covered(telegram) + f"{crc}{telegram.end}".encode("latin-1")


def seal(telegram: Telegram) -> Telegram:
    """The same telegram with the CRC it must have."""
    return replace(telegram, crc=arc(_covered(telegram)))


def _covered(telegram: Telegram) -> bytes:
    """Everything from ``/`` to ``!``, which the CRC covers."""
    lines = [_line(entry, telegram.eol) for entry in telegram.objects]
    for other in reversed(telegram.others):
        lines.insert(other.before, other.text)
    return telegram.eol.join((f"/{telegram.identification}", *lines, "!")).encode("latin-1")


def _line(entry: P1Object, eol: str) -> str:
    gaps = (f"{eol if index in entry.breaks else ''}({part})" for index, part in enumerate(entry.parts))
    return entry.code + "".join(gaps)
