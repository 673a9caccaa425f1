"""The octets in a line that a user pastes: hex in the many ways in which programs, logs and sources write it.

A line is hex with any separators, a list of numbers, text with escapes, base64, or a line of a log with hex in it. Time
stamps, offsets of a dump and the characters beside it are no hex. What is not certain is no hex either.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

__all__ = ["octets_of"]

_HEX: Final = frozenset(b"0123456789abcdefABCDEF")
_BLANK: Final = b" \t:,-;_|"
_OFFSET: Final = re.compile(rb"\s*(?:[0-9A-Fa-f]{4,8}:[ \t]+|[0-9A-Fa-f]{7,8} {2}|[0-7]{7} )(?=[0-9A-Fa-f]{2})")
_GUTTER: Final = re.compile(rb"[ \t]+\|.*\|\s*$|[ \t]{2,}\S*[^0-9A-Fa-f\s].*$")
_MOMENT: Final = re.compile(
    rb"(?:\d{4}[-/.]\d\d[-/.]\d\d|\d\d[-/.]\d\d[-/.]\d{4})?[T ]?\d\d?:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
    rb"|\d{4}-\d\d-\d\d"
)
_PREFIXED: Final = re.compile(rb"0[xX]([0-9A-Fa-f]{1,2})(?![0-9A-Fa-f])")
_NUMBERS: Final = re.compile(rb"(?<![\w.])-?\d{1,3}(?:(?:,\s*|[ \t]+)-?\d{1,3}){7,}(?![\w.])")
_ESCAPED: Final = re.compile(rb"\\(x[0-9A-Fa-f]{2}|[0-7]{3}|[abfnrtv0\\'\"])")
_RECEIVED: Final = re.compile(rb"(?:<<<|<<|<-)\s*\"(.*)\"\s*$")
_QUOTED: Final = re.compile(rb"""b?(["'])(.*\\x[0-9A-Fa-f]{2}.*)\1""")
_RUN: Final = re.compile(
    rb"(?<![0-9A-Za-z])(?:0[xX])?([0-9A-Fa-f]{2}(?:(?:[ \t:,_#-]{1,3}|[ \t]{4})?[0-9A-Fa-f]{2})*)(?![0-9A-Za-z])"
)
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{20,}={0,2}")
_CUL: Final = re.compile(rb"bY?((?:[0-9A-Fa-f]{2}){12,})")
_NAMED: Final = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b"0": 0}
_FEWEST: Final = 3
_SHORTEST_FRAME: Final = 5
_FRAMES: Final = (b"\x10", b"\x68", b"\x7e")


def octets_of(line: bytes, *, shortest: int = 8) -> bytes | None:
    """The octets that a line of text holds, or None if it holds none in any form that is known.

    ``shortest`` is how many octets a run of hex in a log must have to be more than a number or a name.
    """
    plain = _plain(line)
    if plain is not None:
        return plain
    if not _is_text(line):
        return None
    if (match := _CUL.fullmatch(line)) is not None:
        return bytes.fromhex(match[1].decode())
    for form in (_prefixed, _numbers, _received, _escaped, _base64, _dumped):
        octets = form(line)
        if octets is not None:
            return octets
    return _in_log(line, shortest)


def _is_text(line: bytes) -> bool:
    try:
        return line.decode().replace("\t", " ").strip().isprintable()
    except UnicodeDecodeError:
        return False


def _plain(line: bytes) -> bytes | None:
    """Pairs of hex digits with separators only, ``0x`` before all of them or none."""
    digits = line.strip().removeprefix(b"0x").removeprefix(b"0X").translate(None, _BLANK)
    if len(digits) < 2 or len(digits) % 2 or not _HEX.issuperset(digits):
        return None
    if _OFFSET.match(line) or _numbers(line) is not None:
        return None
    return bytes.fromhex(digits.decode("ascii"))


def _prefixed(line: bytes) -> bytes | None:
    """``{0x7e, 0xa0, ...}`` as sources and debuggers write it."""
    found = _PREFIXED.findall(line)
    return bytes(int(one, 16) for one in found) if len(found) >= _FEWEST else None


def _numbers(line: bytes) -> bytes | None:
    """``[126, 160, 226, ...]``, signed or not; numbers of two digits throughout are hex rather."""
    match = _NUMBERS.search(line)
    if match is None:
        return None
    written = match[0].replace(b",", b" ").split()
    values = [int(one) for one in written]
    if all(len(one) == 2 for one in written) or not all(-128 <= value <= 255 for value in values):
        return None
    return bytes(value & 0xFF for value in values)


def _received(line: bytes) -> bytes | None:
    """``<<< "text with escapes"``, as loggers of serial lines print what came in."""
    match = _RECEIVED.search(line)
    return _ESCAPED.sub(_unescaped, match[1]) if match else None


def _escaped(line: bytes) -> bytes | None:
    r"""``b'~\xa0\x08 #'`` as Python prints it, and ``\x7e\xa0`` without quotes."""
    if line.count(b"\\x") < _FEWEST:
        return None
    match = _QUOTED.search(line)
    return _ESCAPED.sub(_unescaped, match[2] if match else line.strip())


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if len(code) == 3:
        return bytes((int(code[1:], 16) if code[:1] == b"x" else int(code, 8) & 0xFF,))
    return bytes((_NAMED[code],)) if code in _NAMED else code


def _base64(line: bytes) -> bytes | None:
    """A line that is base64 as a whole, and no hex, no number and no word."""
    text = line.strip()
    if len(text) % 4 or not _BASE64.fullmatch(text) or not any(48 <= octet < 58 for octet in text):
        return None
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def _dumped(line: bytes) -> bytes | None:
    """A line of hexdump, xxd or od: offset, hex, characters."""
    match = _OFFSET.match(line)
    if match is None:
        return None
    digits = _GUTTER.sub(b"", line[match.end() :]).strip().translate(None, _BLANK)
    if len(digits) < 2 or len(digits) % 2 or not _HEX.issuperset(digits):
        return None
    return bytes.fromhex(digits.decode("ascii"))


def _in_log(line: bytes, shortest: int) -> bytes | None:
    """The longest run of hex in a line of a log, if it is long enough to be no number or name."""
    if _HEX.issuperset(line.translate(None, _BLANK)):
        return None  # hex with a digit too few or too many: no part of it is the telegram
    runs = [_octets(run) for run in _RUN.findall(_MOMENT.sub(b" | ", line))]
    longest = max(runs, key=len, default=b"")
    fewest = min(shortest, _SHORTEST_FRAME) if longest.startswith(_FRAMES) else shortest
    return longest if len(longest) >= fewest else None


def _octets(run: bytes) -> bytes:
    return bytes.fromhex(run.translate(None, b" \t:,_#-").decode("ascii"))
