import itertools

import pytest

from meterway.base.errors import ConfigError
from meterway.interfaces import INTERFACES, Entity, Network, interface_of, label_of


@pytest.mark.covers("IF-I", "IF-H1")
def test_a_label_follows_from_the_pair_and_the_network_in_either_order():
    assert label_of(Entity.METER, Entity.HEAD_END, Network.WIDE) == "I"
    assert label_of(Entity.HEAD_END, Entity.METER, Network.WIDE) == "I"
    assert label_of(Entity.DISPLAY, Entity.METER, Network.LOCAL) == "H1"
    assert label_of(Entity.NNAP, Entity.NNAP, Network.NEIGHBOURHOOD) == "N"


def test_every_label_of_the_figure_stands_once():
    labels = [row.label for row in INTERFACES]
    assert sorted(labels) == sorted(["H1", "H2", "H3", "M", "C", "L", "N", "G1", "G2", "I"])


def test_no_two_interfaces_join_the_same_pair_over_the_same_network():
    keys = [(frozenset((row.near, row.far)), row.network) for row in INTERFACES]
    assert len(set(keys)) == len(keys)


def test_a_pair_that_the_figure_does_not_join_is_refused():
    joined = {(frozenset((row.near, row.far)), row.network) for row in INTERFACES}
    for one, other, network in itertools.product(Entity, Entity, Network):
        if (frozenset((one, other)), network) not in joined:
            with pytest.raises(ConfigError, match="no interface joins"):
                label_of(one, other, network)


def test_only_what_a_stack_speaks_lives():
    assert {row.label for row in INTERFACES if row.lives} == {"H1", "H2", "H3", "M", "C", "L", "N", "G1", "G2", "I"}


def test_the_consumer_port_is_one_way():
    assert interface_of("H1").one_way
    assert not interface_of("I").one_way


def test_an_unknown_label_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="H1, H2, H3, M"):
        interface_of("X")
