"""What a CI announces: table 2 of EN 13757-7 (2018), as the Exmbus project tells it from the norm's text."""

from __future__ import annotations

import pytest

from meterway.stacks.mbus.ci import CIS, meaning_of

NONE = "50 51 54 5C 66 69 70 71 78 79 83 89"
SHORT = "5A 61 65 67 6A 6E 74 7A 7B 7D 7F 88 8A C1 C4"
LONG = "53 55 5B 60 64 68 6B 6C 6D 6F 72 73 75 7C 7E 80 82 84 85 87 8B C0 C2 C3 C5"
RESERVED = "20 4F 56 59 5D 5E 62 63 76 77 91 97 98 9D C6 FF"


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize(("header", "listed"), [("none", NONE), ("short", SHORT), ("long", LONG)])
def test_each_ci_has_the_header_of_the_norm(header: str, listed: str) -> None:
    for ci in bytes.fromhex(listed):
        meaning = meaning_of(ci)
        assert meaning is not None, f"{ci:02X}"
        assert meaning.header == header, f"{ci:02X}"


def test_what_the_norm_reserves_has_no_meaning() -> None:
    assert [f"{ci:02X}" for ci in bytes.fromhex(RESERVED) if meaning_of(ci) is not None] == []


def test_the_manufacturers_range_and_the_line_speeds_are_whole() -> None:
    assert {CIS[ci].kind for ci in range(0xA0, 0xB8)} == {"manufacturer"}
    assert {CIS[ci].kind for ci in range(0xB8, 0xC0)} == {"baud rate"}


def test_kinds_come_in_the_headers_they_have() -> None:
    headers: dict[str, set[str]] = {}
    for meaning in CIS.values():
        headers.setdefault(meaning.kind, set()).add(meaning.header)
    for kind in ("data", "compact frame", "format frame", "application error", "alarm"):
        assert headers[kind] == {"none", "short", "long"}
    assert headers["image transfer"] == {"short", "long"}
    assert headers["selection"] == {"none"}
