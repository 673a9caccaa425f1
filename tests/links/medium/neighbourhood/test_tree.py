import heapq

import numpy as np

from meterway.links.medium.neighbourhood.links import Links, usual_spot
from meterway.links.medium.neighbourhood.settings import preset
from meterway.links.medium.neighbourhood.tree import NOWHERE, plant


def network(size=120, **changes):
    settings = preset("prime", **changes)
    numbers = list(range(size))
    links = Links(settings, numbers, [usual_spot(settings, number) for number in numbers])
    links.weigh(19 * 3600.0)
    return links


def dijkstra(links, root, least):
    """The same costs by another way."""
    best, heap = {root: 0.0}, [(0.0, root)]
    while heap:
        cost, here = heapq.heappop(heap)
        if cost > best[here]:
            continue
        for place in range(links.starts[here], links.starts[here + 1]):
            there, forth, back = int(links.targets[place]), float(links.chances[place]), float(links.backs[place])
            if there != here and min(forth, back) >= least:
                through = cost + 1.0 / (forth * back)
                if through < best.get(there, np.inf):
                    best[there] = through
                    heapq.heappush(heap, (through, there))
    return best


def test_every_node_is_on_the_way_with_the_fewest_expected_transmissions():
    links = network(seed=4)
    tree = plant(links, 0, np.ones(120, dtype=bool), 0.5, 15)
    best = dijkstra(links, 0, 0.5)
    assert len(best) > 60
    for node in range(120):
        assert np.isclose(tree.cost[node], best.get(node, np.inf), rtol=1e-5)
        assert (tree.parent[node] == NOWHERE) == (node == 0 or node not in best)
    assert max(tree.hops) >= 3


def test_hops_and_switches_agree_with_parents():
    tree = plant(network(seed=5), 0, np.ones(120, dtype=bool), 0.5, 15)
    for node in range(1, 120):
        if tree.parent[node] != NOWHERE:
            assert tree.hops[node] == tree.hops[tree.parent[node]] + 1
    assert tree.switches == {parent for parent in tree.parent if parent > 0}


def test_a_layout_of_three_hops_is_three_hops_deep():
    tree = plant(network(loss=0.1, hops=3), 0, np.ones(120, dtype=bool), 0.0, 15)
    assert [list(tree.hops[1:]).count(hops) for hops in range(5)] == [0, 40, 40, 39, 0]


def test_what_is_absent_is_gone_round():
    links = network(loss=0.1, hops=3)
    present = np.ones(120, dtype=bool)
    before = plant(links, 0, present, 0.0, 15)
    node = next(node for node in range(120) if before.hops[node] == 3)
    present[before.parent[node]] = False
    after = plant(links, 0, present, 0.0, 15)
    assert after.hops[node] == 3
    assert after.parent[node] != before.parent[node]
    present[0] = False
    assert set(plant(links, 0, present, 0.0, 15).parent) == {NOWHERE}


def test_next_hops_lead_down_to_a_node_up_from_it_and_across():
    tree = plant(network(loss=0.1, hops=3), 0, np.ones(120, dtype=bool), 0.0, 15)
    deep = [node for node in range(120) if tree.hops[node] == 3]
    for start, end in ((0, deep[0]), (deep[0], 0), (deep[0], deep[-1])):
        here, way = start, [start]
        while here != end:
            here = tree.next_hop(here, end)
            way.append(here)
        assert len(way) == (4 if 0 in (start, end) else 7)


def test_what_is_out_of_reach_has_no_next_hop_from_the_root():
    links = network(loss=0.1, hops=3)
    tree = plant(links, 0, np.ones(120, dtype=bool), 0.0, 2)
    deep = plant(links, 0, np.ones(120, dtype=bool), 0.0, 15).hops.index(3)
    assert tree.next_hop(0, deep) == NOWHERE
    assert tree.parent[deep] == NOWHERE


def test_the_way_up_names_the_switches_between():
    tree = plant(network(loss=0.1, hops=3), 0, np.ones(120, dtype=bool), 0.0, 15)
    deep = tree.hops.index(3)
    assert tree.way_up(deep) == {tree.parent[deep], tree.parent[tree.parent[deep]]}
    assert tree.way_up(tree.hops.index(1)) == frozenset()


def test_a_link_that_never_works_is_none():
    tree = plant(network(loss=1.0, hops=3), 0, np.ones(120, dtype=bool), 0.0, 15)
    assert set(tree.parent) == {NOWHERE}


def test_the_chance_of_a_link_that_the_tree_has_not_is_0():
    tree = plant(network(loss=0.2, hops=3), 0, np.ones(120, dtype=bool), 0.0, 15)
    deep = tree.hops.index(3)
    assert np.isclose(tree.chance(deep, tree.parent[deep]), 0.8)
    assert np.isclose(tree.chance(tree.parent[deep], deep), 0.8)
    assert tree.chance(0, deep) == 0.0
