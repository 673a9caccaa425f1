import numpy as np
import pytest

from meterway.links.medium.neighbourhood.links import Links, noise_at, usual_spot
from meterway.links.medium.neighbourhood.settings import preset

CALM = {"shadow_db": 0.0, "uneven_db": 0.0, "drift_db": 0.0, "noise_db": (0.0,) * 24}


def chances(links, size):
    """The chances as a table, sender by receiver."""
    table = np.zeros((size, size))
    for one in range(size):
        rows = slice(links.starts[one], links.starts[one + 1])
        table[one, links.targets[rows]] = links.chances[rows]
    return table


def test_a_link_with_no_margin_loses_half_and_one_with_a_slope_more_a_quarter():
    settings = preset("prime", margin_db=20.0, db_per_m=0.2, slope_db=2.0, **CALM)
    links = Links(settings, [0, 1, 2], [(0, 0.0), (0, 100.0), (0, 90.0)])
    links.weigh(0.0)
    table = chances(links, 3)
    assert table[0, 1] == pytest.approx(0.5, abs=0.01)
    assert table[0, 2] == pytest.approx(0.75, abs=0.01)
    assert table[1, 2] > 0.99


def test_the_way_between_feeders_goes_through_the_transformer():
    settings = preset("prime", margin_db=28.0, db_per_m=0.1, crossing_db=8.0, **CALM)
    links = Links(settings, [0, 1, 2], [(0, 0.0), (1, 100.0), (2, 100.0)])
    links.weigh(0.0)
    table = chances(links, 3)
    assert table[1, 2] == pytest.approx(0.5, abs=0.01)  # 28 - 20 - 8
    assert table[0, 1] > 0.99


def test_in_the_plane_a_decade_of_distance_costs_ten_times_the_exponent():
    settings = preset("rf-mesh", margin_db=60.0, exponent=3.0, **CALM)
    links = Links(settings, [0, 1], [(0.0, 0.0), (60.0, 80.0)])
    links.weigh(0.0)
    assert chances(links, 2)[0, 1] == pytest.approx(0.5, abs=0.01)


def test_noise_of_the_day_is_a_straight_line_between_hours():
    settings = preset("prime", zone_h=1.0, noise_db=tuple(range(24)))
    assert noise_at(settings, 2 * 3600.0) == 3.0
    assert noise_at(settings, 2.5 * 3600.0) == 3.5
    assert noise_at(settings, 22.5 * 3600.0) == pytest.approx(11.5)  # from 23 back to 0


def test_noise_makes_the_same_link_worse_in_the_evening():
    settings = preset("prime", margin_db=10.0, db_per_m=0.0, shadow_db=0.0, uneven_db=0.0, drift_db=0.0)
    links = Links(settings, [0, 1], [(0, 0.0), (0, 50.0)])
    links.weigh(3 * 3600.0)
    night = chances(links, 2)[0, 1]
    links.weigh(19 * 3600.0)
    assert chances(links, 2)[0, 1] < night - 0.1


def test_each_receiver_has_its_own_noise_and_backs_are_the_other_direction():
    settings = preset("prime", uneven_db=6.0, margin_db=15.0)
    numbers = list(range(40))
    links = Links(settings, numbers, [usual_spot(settings, number) for number in numbers])
    links.weigh(0.0)
    forth = chances(links, 40)
    links.chances = links.backs
    assert np.allclose(chances(links, 40), forth.T)
    assert not np.allclose(forth, forth.T)
    links.rest()
    assert len(links.backs) == 0


def test_a_link_is_the_same_whoever_else_is_there_and_another_with_another_seed():
    def link(numbers, seed):
        settings = preset("prime", seed=seed, margin_db=12.0)
        spots = {3: (0, 0.0), 7: (0, 20.0), 9: (1, 10.0)}
        links = Links(settings, numbers, [spots[number] for number in numbers])
        links.weigh(0.0)
        return chances(links, len(numbers))[numbers.index(3), numbers.index(7)]

    assert link([3, 7], 1) == link([9, 7, 3], 1)
    assert link([3, 7], 1) != link([3, 7], 2)


def test_a_given_loss_holds_for_every_link():
    settings = preset("prime", loss=0.1, hops=3)
    links = Links(settings, [0, 1, 9, 17], [usual_spot(settings, number) for number in (0, 1, 9, 17)])
    links.weigh(19 * 3600.0)
    table = chances(links, 4)
    assert table[0, 1] == table[1, 2] == table[2, 3] == pytest.approx(0.9)
    assert table[0, 2] == table[1, 3] == 0.0


def test_drawn_numbers_are_normally_distributed():
    settings = preset("prime", uneven_db=3.0)
    noises = Links(settings, range(2000), [(0, 1.0 + number) for number in range(2000)])._noises
    assert abs(noises.mean()) < 0.3
    assert noises.std() == pytest.approx(3.0, rel=0.1)


def test_usual_spots_lie_within_the_network():
    feeders = preset("prime")
    spots = [usual_spot(feeders, number) for number in range(300)]
    assert spots[0] == (0.0, 0.0)
    assert {feeder for feeder, _ in spots} == set(range(feeders.feeders))
    assert max(metres for _, metres in spots) <= feeders.extent_m
    plane = preset("rf-mesh")
    assert all(abs(east) <= 400 and abs(north) <= 400 for east, north in (usual_spot(plane, n) for n in range(300)))


def test_who_hears_whom_send_is_mutual_and_includes_oneself():
    settings = preset("rf-mesh", extent_m=2000.0)
    numbers = list(range(300))
    links = Links(settings, numbers, [usual_spot(settings, number) for number in numbers])
    hears = [[mask >> other & 1 for other in numbers] for mask in links.hearing]
    assert all(hears[one][one] for one in numbers)
    assert hears == [list(column) for column in zip(*hears, strict=True)]
    assert 0.05 < sum(map(sum, hears)) / 300**2 < 0.9


@pytest.mark.parametrize(
    "settings", [preset("prime", seed=2), preset("rf-mesh", seed=2), preset("prime", loss=0.1, hops=3)]
)
def test_nodes_added_one_by_one_have_the_links_of_those_that_were_there_at_once(settings):
    numbers = [0, 5, 3, 9, 40, 12, 7, 300, 2, 1]
    spots = [usual_spot(settings, number) for number in numbers]
    whole, grown = Links(settings, numbers, spots), Links(settings, numbers[:3], spots[:3])
    for number, spot in zip(numbers[3:], spots[3:], strict=True):
        grown.add(number, spot)
    for links in (whole, grown):
        links.weigh(19 * 3600.0)
    assert np.array_equal(grown.starts, whole.starts)
    assert np.array_equal(grown.targets, whole.targets)
    assert np.array_equal(grown.chances, whole.chances)
    assert np.array_equal(grown.backs, whole.backs)
    assert grown.hearing == whole.hearing
    assert grown.targets.dtype == whole.targets.dtype
