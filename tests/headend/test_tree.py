"""The tree of a neighbourhood as a drawing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meterway.headend.tree import Leaf, grade, tree


def leaf(serial: str, parent: str = "", *, quality: int = 90, is_away: bool = False) -> Leaf:
    return Leaf(
        serial=serial, eui=serial.encode(), parent=parent.encode(), hops=1, quality=quality, is_away=is_away,
        is_gateway=False, heard="",
    )  # fmt: skip


def test_every_node_hangs_on_the_one_it_is_reached_through() -> None:
    wide, narrow = tree([leaf("C", "A"), leaf("B"), leaf("A"), leaf("D", "C")])
    assert [twig.leaf.serial for twig in wide.twigs] == ["A", "C", "D", "B"]
    a, c, d, b = wide.twigs
    assert a.x == b.x < c.x < d.x
    assert (c.trunk, c.path) == (f"M{a.x} {a.y}V{c.y}", f"M{a.x} {c.y}H{c.x}")
    assert b.trunk.startswith(f"M{wide.root[0]} {wide.root[1]}V")
    assert (wide.name, narrow.name) == ("wide", "narrow")
    assert narrow.width < 390
    assert all(twig.x < narrow.width - 100 for twig in narrow.twigs)


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 9)), max_size=9, unique_by=lambda pair: pair[0]))
def test_any_parents_give_each_node_once_on_a_row_of_its_own(pairs: list[tuple[int, int]]) -> None:
    for branch in tree([leaf(str(own), str(parent)) for own, parent in pairs]):
        assert sorted(twig.leaf.serial for twig in branch.twigs) == sorted(str(own) for own, _ in pairs)
        assert len({twig.y for twig in branch.twigs}) == len(pairs)
        assert all(0 < twig.y < branch.height for twig in branch.twigs)


def test_links_are_graded_by_how_much_was_answered() -> None:
    given_ = [leaf("a", quality=80), leaf("b", quality=50), leaf("c", quality=49), leaf("d", is_away=True)]
    assert [grade(each) for each in given_] == ["good", "warn", "bad", "away"]
