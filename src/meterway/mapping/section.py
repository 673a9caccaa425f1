"""A table of a settings or description file in TOML, read field by field; every complaint names file and field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Self, TypeVar

from meterway.base.errors import ConfigError

__all__ = ["Section"]

_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=str)

_WORDS: Final[dict[type, str]] = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A table: what it holds, and how complaints name it. Every method raises ConfigError for what does not fit."""

    where: str
    values: Mapping[str, object]
    most: ClassVar[int] = 0xFFFF
    """The highest number where none is named."""

    def error(self, key: str, message: str) -> ConfigError:
        """The complaint about one field, to be raised."""
        return ConfigError(f"{self.where}, {key}: {message}")

    def known(self, keys: frozenset[str]) -> None:
        """Refuse fields that are none of these."""
        for key in self.values:
            if key not in keys:
                raise self.error(key, f"no such field; there are {', '.join(sorted(keys))}")

    def get(self, key: str, kind: type[_T], default: _T | None = None) -> _T:
        """A field of this type; without a default it must be there."""
        value = self.values.get(key, default)
        if value is None:
            raise self.error(key, "is missing")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(key, f"must be {_WORDS.get(kind, kind.__name__)}, not {value!r}")
        return value

    def number(self, key: str, default: int | None = None, *, low: int = 0, high: int | None = None) -> int:
        """A whole number from ``low`` to ``high``."""
        value = self.get(key, int, default)
        highest = self.most if high is None else high
        if not low <= value <= highest:
            raise self.error(key, f"{value} is not {low} to {highest}")
        return value

    def listed(self, key: str) -> list[object]:
        """A list; a single value stands for a list of one."""
        value = self.values.get(key, [])
        return value if isinstance(value, list) else [value]

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or one."""
        found = [word for word in self.listed(key) if isinstance(word, str)]
        if len(found) != len(self.listed(key)):
            raise self.error(key, "must be texts")
        return tuple(found)

    def one_of(self, key: str, choices: Sequence[_Word], default: _Word | None = None) -> _Word:
        """One of these texts."""
        value = self.get(key, str, default)
        for word in choices:
            if word == value:
                return word
        raise self.error(key, f"{value!r} is not one of {', '.join(word for word in choices if word)}")

    def tables(self, key: str) -> list[Self]:
        """A list of tables, as sections named by their number."""
        found = self.get(key, list, [])
        rows = [(number, one) for number, one in enumerate(found, 1) if isinstance(one, dict)]
        if len(rows) != len(found):
            raise self.error(key, f"must be a list of tables, written [[{key}]]")
        return [type(self)(f"{self.where}, {key} {number}", one) for number, one in rows]

    def table(self, key: str) -> Self | None:
        """A table, or None if there is none."""
        if key not in self.values:
            return None
        return type(self)(f"{self.where}, {key}", self.get(key, dict))
