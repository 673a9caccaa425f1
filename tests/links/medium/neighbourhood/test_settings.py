import pytest

from meterway.base.errors import ConfigError
from meterway.links.medium.neighbourhood import SimulatedNeighbourhood
from meterway.links.medium.neighbourhood.settings import PRESETS, preset
from meterway.stacks.neighbourhood.profiles import PROFILES


def test_each_profile_has_a_medium_of_its_own_speed():
    rates = {name: settings.bit_rate for name, settings in PRESETS.items()}
    assert rates["s-fsk"] == 2400
    assert 10_000 <= rates["prime"] <= 40_000
    assert 10_000 <= rates["g3"] <= 40_000
    assert 50_000 <= rates["rf-mesh"] <= 150_000


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_has_a_medium_that_carries_its_frames_at_its_pace(name):
    profile, settings = PROFILES[name], PRESETS[name]
    assert settings.max_frame >= profile.mtu
    cell = settings.cell_octets / (settings.cell_octets + settings.cell_overhead)
    assert settings.bit_rate * cell == pytest.approx(profile.bit_rate, rel=0.05)
    assert settings.airtime_s(1) >= profile.frame_overhead_s


def test_an_s_fsk_frame_fills_cells_of_45_octets_at_2400_bits_a_second():
    settings = preset("s-fsk")
    assert settings.airtime_s(36) == pytest.approx(0.15)
    assert settings.airtime_s(1) == pytest.approx(0.15)
    assert settings.airtime_s(37) == pytest.approx(0.30)


def test_airtime_is_preamble_and_octets_at_the_bit_rate():
    settings = preset("prime", preamble_s=0.005, header_octets=8, bit_rate=20_000.0)
    assert settings.airtime_s(92) == pytest.approx(0.005 + 100 * 8 / 20_000)


def test_a_medium_made_faster_takes_less_time_for_everything():
    slow = preset("g3")
    fast = slow.hastened(10.0)
    assert fast.airtime_s(100) == pytest.approx(slow.airtime_s(100) / 10)
    assert (fast.gap_s, fast.ack_s) == (slow.gap_s / 10, slow.ack_s / 10)
    assert fast.reroute_s == slow.reroute_s
    with pytest.raises(ConfigError, match="0 times"):
        slow.hastened(0)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"loss": 1.5}, "loss"),
        ({"duplicated": -0.1}, "duplicated"),
        ({"bit_rate": 0}, "bit_rate"),
        ({"repetitions": -1}, "repetitions"),
        ({"gap_s": float("nan")}, "gap_s"),
        ({"noise_db": (0.0,)}, "24"),
        ({"most_hops": 300}, "most_hops"),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_makes_no_sense_is_named(changes, named):
    with pytest.raises(ConfigError, match=named):
        preset("prime", **changes)


def test_an_unknown_medium_is_named_with_the_known_ones():
    with pytest.raises(ConfigError, match="'carrier pigeon' is no medium: s-fsk"):
        preset("carrier pigeon")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("hops", [1, 2, 3])
def test_in_a_row_of_hops_every_node_has_a_route_whatever_the_seed_and_the_hour(name, hops):
    """Behind a node of a short row there is no other way: without its link, all behind it would be cut off."""
    for seed in range(20):
        for hour in (3, 20):
            made = SimulatedNeighbourhood(preset(name, hops=hops, seed=seed), start=(hour - 1) * 3600.0)
            for node in range(16):
                made.join(node)
            routes = made.routes()
            assert [one.node for one in routes if one.parent is None] == [0]
            assert max(one.hops for one in routes) == min(hops, 2), "of fifteen the last seven stand in the second step"
