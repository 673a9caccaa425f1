"""The fast constructor makes the same thing as the ordinary one."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass

import pytest

from meterway.stacks.mbus.making import positional


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    left: int
    right: str = ""


def test_what_is_made_equals_what_the_class_makes_and_is_as_frozen() -> None:
    made = positional(Pair)(1, "x")
    assert made == Pair(left=1, right="x")
    assert hash(made) == hash(Pair(left=1, right="x"))
    with pytest.raises(FrozenInstanceError):
        made.left = 2  # type: ignore[misc]
