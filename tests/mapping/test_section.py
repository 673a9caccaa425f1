"""Fields of a TOML table: what fits comes out, what does not is named with file and field."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest

from meterway.base.errors import ConfigError
from meterway.mapping.section import Section

TEXT = """
word = "a"
count = 7
yes = true
words = ["a", "b"]
mixed = ["a", 1]
[one]
inner = 1
[[rows]]
number = 1
[[rows]]
number = 2
"""


@pytest.fixture
def section() -> Section:
    return Section("file", tomllib.loads(TEXT))


def test_what_fits_comes_out(section: Section) -> None:
    assert section.get("word", str) == "a"
    assert section.get("none", int, 3) == 3
    assert section.number("count", low=7, high=7) == 7
    assert section.texts("words") == ("a", "b")
    assert section.texts("word") == ("a",)
    assert section.texts("none") == ()
    assert section.one_of("word", ("a", "b")) == "a"
    assert section.one_of("none", ("", "b"), "") == ""
    assert [row.number("number") for row in section.tables("rows")] == [1, 2]
    assert [row.where for row in section.tables("rows")] == ["file, rows 1", "file, rows 2"]
    assert section.tables("none") == []
    inner = section.table("one")
    assert inner == Section("file, one", {"inner": 1})
    assert section.table("none") is None


def test_a_table_of_a_kind_has_tables_of_its_kind() -> None:
    class Kind(Section):
        __slots__ = ()
        most = 5

    row = Kind("file", {"rows": [{"number": 6}]}).tables("rows")[0]
    assert isinstance(row, Kind)
    with pytest.raises(ConfigError, match="file, rows 1, number: 6 is not 0 to 5"):
        row.number("number")


@pytest.mark.parametrize(
    ("read", "complaint"),
    [
        (lambda one: one.known(frozenset(("word", "count"))), "yes: no such field; there are count, word"),
        (lambda one: one.get("none", str), "none: is missing"),
        (lambda one: one.get("word", int), "word: must be a whole number, not 'a'"),
        (lambda one: one.get("yes", int), "yes: must be a whole number, not True"),
        (lambda one: one.number("count", high=6), "count: 7 is not 0 to 6"),
        (lambda one: one.texts("mixed"), "mixed: must be texts"),
        (lambda one: one.one_of("word", ("", "b")), "word: 'a' is not one of b"),
        (lambda one: one.tables("words"), "words: must be a list of tables"),
        (lambda one: one.table("count"), "count: must be a table, not 7"),
    ],
)
def test_what_does_not_fit_is_named(section: Section, read: Callable[[Section], object], complaint: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        read(section)
    assert str(refusal.value).startswith(f"file, {complaint}")
