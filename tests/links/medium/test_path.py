import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.links.medium.path import Surroundings, Wall

PLAIN = Surroundings(shadow_db=0.0)
places = st.tuples(*(st.floats(-1000, 1000) for _ in range(3)))


@given(places, places, st.integers(0, 5))
def test_the_loss_is_the_same_both_ways(
    one: tuple[float, float, float], other: tuple[float, float, float], seed: int
) -> None:
    around = Surroundings(seed=seed)
    assert around.loss_db(one, other, 868_950_000) == pytest.approx(around.loss_db(other, one, 868_950_000))


def test_ten_times_the_distance_costs_ten_exponents() -> None:
    near = PLAIN.loss_db((0, 0, 0), (10, 0, 0), 868_950_000)
    assert PLAIN.loss_db((0, 0, 0), (100, 0, 0), 868_950_000) == pytest.approx(near + 30.0)


def test_a_wall_counts_where_the_way_goes_through_it() -> None:
    walled = Surroundings(shadow_db=0.0, walls=(Wall(start=(5, -5), end=(5, 5), loss_db=9.0),))
    for there, extra in (((10, 0, 0), 9.0), ((4, 0, 0), 0.0), ((10, 20, 0), 0.0)):
        plain = PLAIN.loss_db((0, 0, 0), there, 868_950_000)
        assert walled.loss_db((0, 0, 0), there, 868_950_000) == pytest.approx(plain + extra)


def test_each_ceiling_costs() -> None:
    level = PLAIN.loss_db((0, 0, 0), (10, 0, 0), 868_950_000)
    assert PLAIN.loss_db((0, 0, 0), (10, 0, 6.5), 868_950_000) > level + 24.0


def test_169_mhz_reaches_farther() -> None:
    far = (400.0, 0.0, 0.0)
    assert PLAIN.loss_db((0, 0, 0), far, 169_406_250) < PLAIN.loss_db((0, 0, 0), far, 868_950_000) - 14


@given(places, places, st.integers(0, 50))
def test_nothing_beyond_the_reach_is_within_the_budget(
    one: tuple[float, float, float], other: tuple[float, float, float], seed: int
) -> None:
    around = Surroundings(seed=seed)
    loss = around.loss_db(one, other, 868_300_000)
    assert (
        sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5
        <= around.reach_m(loss, 868_300_000) * 1.001 + 1
    )


def test_the_seed_decides_the_shadow() -> None:
    losses = {Surroundings(seed=seed).loss_db((0, 0, 0), (30, 0, 0), 868_950_000) for seed in (1, 1, 2)}
    assert len(losses) == 2
