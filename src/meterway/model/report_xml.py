"""The XML of a bulk report, read piece by piece: one part at a time is in memory, and everything is bounded.

No document type, hence no entities; no deeper than a report is; so many parts and values, then no more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn
from xml.etree import ElementTree as ET

from meterway.base.errors import DecodeError

__all__ = ["MOST_PARTS", "MOST_VALUES", "NAMESPACE", "read_report"]

NAMESPACE: Final = "urn:meterway:report:1"
MOST_VALUES: Final = 4_000_000
"""Times, status octets and values of one report."""
MOST_PARTS: Final = 200_000
"""Meters, events, nodes and whatever else a report has of its own, with their own parts."""
_SPACE: Final = f"{{{NAMESPACE}}}"
_CHUNK: Final = 1 << 16
_DEEPEST: Final = 4
_LONGEST: Final = 4096

_NUMBERS: Final = frozenset(
    ("created", "from", "to", "period_s", "class", "attribute", "scaler", "unit", "time", "code", "address", "hops")
) | {
    "quality", "heard", "joined", "day", "revision", "judged", "intervals", "complete", "given", "taken", "low", "high",
    "lacking", "raised", "cleared", "count",
}  # fmt: skip
_READ: Final[dict[str, Callable[[str], int | float | str | None]]] = {
    "int": lambda text: _integer(text),
    "float": float,
    "text": str,
    "null": lambda _: None,
}

Part = dict[str, Any]


def read_report(octets: bytes, take: Callable[[str, Part], None]) -> Part:
    """The attributes of the report; ``take`` is given each part as it ends, by the name of its element.

    A part has its attributes as plain values, and its elements as lists: ``times``, ``status``, ``columns`` and
    ``values`` of a meter. DecodeError for what is no report, or beyond the bounds.
    """
    reader = _Reader(take)
    parser = ET.XMLParser(target=reader)  # noqa: S314  the reader refuses every document type
    try:
        for start in range(0, len(octets), _CHUNK):
            parser.feed(octets[start : start + _CHUNK])
        parser.close()
    except (ET.ParseError, ValueError, KeyError, OverflowError, LookupError) as error:
        raise DecodeError(f"no report: {error}", 0, "report") from None
    return reader.attributes


class _Reader:
    """What the parser tells it is to; knows the part that is under way, and of that only what has been read."""

    def __init__(self, take: Callable[[str, Part], None]) -> None:
        self.attributes: Part = {}
        self._take = take
        self._path: list[str] = []
        self._part: Part = {}
        self._numbers: list[Any] | None = None
        self._text: list[str] | None = None
        self._rest = ""
        self._has_text = self._values_given = False
        self._length = self._values = self._parts = 0

    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        """Refused: it may define entities."""
        raise DecodeError("no report: a document type is not accepted", 0, "report")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if not tag.startswith(_SPACE):
            raise ValueError(f"the element {tag!r} is not of {NAMESPACE}")
        name = tag.removeprefix(_SPACE)
        self._path.append(name)
        depth = len(self._path)
        if depth > _DEEPEST:
            raise ValueError(f"the element {name!r} is too deep for a report")
        if depth < _DEEPEST:
            self._count_part()
        if depth == 1:
            self._begin_report(name, _plain(attributes))
        elif depth == 2:
            self._begin_part(name, _plain(attributes))
        elif depth == 3:
            self._begin_list(name, _plain(attributes))
        else:
            self._begin_value(name)

    def _count_part(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise ValueError(f"more than {MOST_PARTS} parts")

    def _begin_report(self, name: str, attributes: Part) -> None:
        if name != "report":
            raise ValueError(f"the element {name!r} is not a report")
        self.attributes = attributes

    def _begin_part(self, name: str, attributes: Part) -> None:
        self._part = attributes
        if name == "meter":
            self._part |= {"columns": [], "times": None, "status": None, "values": []}

    def _begin_list(self, name: str, attributes: Part) -> None:
        """A list of a meter, or one of the parts of anything else."""
        if self._path[1] != "meter":
            known = self._part.setdefault(name, [])
            if not isinstance(known, list):
                raise ValueError(f"{name!r} stands twice")
            known.append(attributes)
            return
        self._numbers, self._has_text, self._values_given = [], False, False
        if name == "column":
            self._part["columns"].append(attributes)
            self._part["values"].append(self._numbers)
        elif name in ("times", "status") and self._part[name] is None:
            self._part[name] = self._numbers
        else:
            raise ValueError(f"the element {name!r} has no place in a meter")

    def _begin_value(self, name: str) -> None:
        if self._path[1:3] != ["meter", "column"] or name not in _READ:
            raise ValueError(f"the element {name!r} has no place in a {self._path[2]}")
        if self._has_text:
            raise ValueError("text and elements beside each other in a column")
        self._text, self._length, self._values_given = [], 0, True

    def data(self, text: str) -> None:
        """Text, maybe in pieces."""
        if self._text is not None:
            self._length += len(text)
            if self._length > _LONGEST:
                raise ValueError(f"a value of more than {_LONGEST} characters")
            self._text.append(text)
        elif self._numbers is not None and len(self._path) == 3:
            self._has_text = self._has_text or not text.isspace()
            if self._has_text and self._values_given:
                raise ValueError("text and elements beside each other in a column")
            *whole, self._rest = _tokens(self._rest + text)
            if len(self._rest) > _LONGEST:
                raise ValueError(f"a number of more than {_LONGEST} characters")
            self._add([_integer(token) for token in whole])
        elif text.strip():
            raise ValueError(f"text {text[:20]!r} where none has a place")

    def end(self, _: str) -> None:
        """An element ends."""
        name = self._path.pop()
        depth = len(self._path) + 1
        if depth == _DEEPEST:
            self._add([_READ[name]("".join(self._text or ()))])
            self._text = None
        elif depth == 3 and self._numbers is not None:
            rest, self._rest = self._rest.strip(), ""
            self._add([_integer(token) for token in rest.split()])
            self._numbers = None
        elif depth == 2:
            part, self._part = self._part, {}
            self._take(name, part)

    def _add(self, values: list[Any]) -> None:
        self._values += len(values)
        if self._values > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES} values")
        if self._numbers is not None:
            self._numbers += values

    def close(self) -> None:
        """Nothing is left to give."""


def _tokens(text: str) -> list[str]:
    """Whole tokens, and last what may go on in the next piece (empty behind a space)."""
    found = text.split()
    return [*found, ""] if not found or text[-1].isspace() else found


def _integer(text: str) -> int:
    if not text.isascii() or "_" in text:
        raise ValueError(f"{text[:20]!r} is no number")
    return int(text)


def _plain(attributes: dict[str, str]) -> Part:
    return {key: _integer(value) if key in _NUMBERS else value for key, value in attributes.items()}
