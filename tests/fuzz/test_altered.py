"""Every single octet of every telegram altered in a few ways: nothing is told that was not sent."""

from __future__ import annotations

from random import Random

import pytest

from fuzz.altered import ORIGINALS, PLAIN, alter, check_telegram, one_input


@pytest.mark.covers("IF-M", "SEC-04")
@pytest.mark.parametrize(("name", "whole"), ORIGINALS, ids=[name for name, _ in ORIGINALS])
def test_no_single_altered_octet_gives_another_number(name: str, whole: bytes) -> None:
    assert check_telegram(name, whole, 1) == ("unprotected" if name == PLAIN else "same")
    outcomes = [
        check_telegram(name, alter(whole, bytes((place, change))), 1)
        for place in range(len(whole))
        for change in (1, 0x20, 0x80, 0xFF)
    ]
    assert name == PLAIN or outcomes.count("refused") > len(outcomes) // 2


@pytest.mark.covers("IF-M")
def test_drawn_alterations_and_drawn_records_are_refused_or_lead_back_to_their_octets() -> None:
    drawn = Random(20_261_123)
    outcomes = [one_input(drawn.randbytes(drawn.choice((3, 5, 9, 41)))) for _ in range(5000)]
    outcomes += [one_input(b"\xff" + drawn.randbytes(drawn.randrange(12))) for _ in range(5000)]
    assert set(outcomes) == {"refused", "same", "unprotected"}
