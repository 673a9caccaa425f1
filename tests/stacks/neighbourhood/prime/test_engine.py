"""Both ends of PRIME over bad media: never a wrong, doubled or mixed APDU; any octets are survived."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.stacks.neighbourhood.prime import PrimeSettings, Version, coordinator, node
from meterway.stacks.neighbourhood.station import Apdu, Joined, Undelivered
from stacks.neighbourhood.bad_media import EUIS, TROUBLES, Network, check_noise, inject_changed

BASE = b"BASE0001"
VERSIONS = pytest.mark.parametrize("version", Version)


def network(version, **medium):
    told = PrimeSettings(version=version, mtu=80, join_spread_s=2.0)
    return Network(lambda: coordinator(BASE, lambda eui: b"", told), lambda eui: node(eui, told), **medium)


def is_in_order(heard, sent):
    """Whether what was heard is a part of what was sent, in its order, nothing twice."""
    rest = iter(sent)
    return all(any(one == other for other in rest) for one in heard)


@VERSIONS
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.1, 0.3, 0.6]),
    double=st.sampled_from([0.0, 0.4]),
    damage=st.sampled_from([0.0, 0.1]),
    late=st.sampled_from([0.0, 4.9]),
    sizes=st.lists(st.integers(0, 700), min_size=1, max_size=12),
    disturb=st.lists(st.sampled_from(TROUBLES), max_size=3),
)
@pytest.mark.covers("IF-C")
def test_no_apdu_is_wrong_doubled_or_mixed(version, seed, loss, double, damage, late, sizes, disturb):
    carrier = network(version, seed=seed, loss=loss, double=double, damage=damage, late=late)
    sent = {(0, number): [] for number in (1, 2, 3)} | {(number, 0): [] for number in (1, 2, 3)}
    disturb, is_quiet = list(disturb), not (loss or damage or disturb)
    for turn, size in enumerate(sizes):
        carrier.run(carrier.now + 40)
        for number, eui in enumerate(EUIS, 1):
            if eui in carrier.stations[0].members:
                sent[0, number].append(b"down %d " % turn + eui + bytes((turn,)) * size)
                carrier.send(0, eui, sent[0, number][-1])
            if len(carrier.of(number, Joined)) and carrier.stations[number]._link is not None:
                sent[number, 0].append(b"up %d " % turn + eui + bytes((turn,)) * size)
                carrier.send(number, BASE, sent[number, 0][-1])
        if disturb and turn % 3 == 1:
            carrier.trouble(disturb.pop())
    carrier.run(carrier.now + 600)
    for number, eui in enumerate(EUIS, 1):
        assert is_in_order(carrier.apdus(number), sent[0, number])
        assert is_in_order([event.apdu for event in carrier.of(0, Apdu) if event.eui == eui], sent[number, 0])
    if is_quiet:
        undelivered = {one.apdu for number in carrier.stations for one in carrier.of(number, Undelivered)}
        for (source, target), apdus in sent.items():
            heard = set(carrier.apdus(target))
            assert all(apdu in heard or apdu in undelivered for apdu in apdus), (source, target)


@VERSIONS
def test_with_time_everything_arrives_over_a_bad_medium(version):
    carrier = network(version, loss=0.3, double=0.3, late=4.0, damage=0.05, seed=11)
    carrier.run(600)
    assert set(carrier.stations[0].members) == set(EUIS)
    sent = [b"%d" % number * 200 for number in range(8)]
    for apdu in sent:
        carrier.send(0, EUIS[0], apdu)
    carrier.run(2400)
    assert carrier.apdus(1) == sent


@VERSIONS
@settings(max_examples=60, deadline=None)
@given(frames=st.lists(st.tuples(st.booleans(), st.binary(max_size=60)), max_size=20))
def test_any_octets_are_survived_and_told(version, frames):
    carrier = network(version)
    carrier.run(60)
    check_noise(carrier, frames)


@VERSIONS
@settings(max_examples=40, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 90), st.integers(1, 255)), max_size=30),
    seed=st.integers(0, 99),
)
def test_sound_frames_with_changed_octets_are_survived(version, changes, seed):
    """Real frames of a busy network, changed and given to whom they were not for; checks stay wrong or are foreign."""
    carrier = network(version, seed=seed)
    carrier.run(30)
    for eui in EUIS:
        carrier.send(0, eui, bytes(200))
    carrier.run(40)
    heard = len(carrier.apdus(1))
    inject_changed(carrier, changes)
    carrier.run(100)
    assert len(carrier.apdus(1)) == heard
    assert carrier.apdus(0) == []
