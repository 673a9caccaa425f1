"""Both ends of S-FSK over bad media: never a wrong, doubled or mixed APDU; any octets are survived."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.base.errors import LocalProtocolError
from meterway.stacks.neighbourhood.sfsk import SfskSettings, coordinator, node
from meterway.stacks.neighbourhood.sfsk.states import ServerState
from meterway.stacks.neighbourhood.station import Apdu, Undelivered
from stacks.neighbourhood.bad_media import EUIS, TROUBLES, Network, check_noise, inject_changed
from stacks.neighbourhood.sfsk.test_server import answering

BASE = b"BASE0001"
TOLD = SfskSettings(discover_interval_s=60.0)


def network(**medium):
    return Network(lambda: coordinator(BASE, lambda eui: b"", TOLD), lambda eui: node(eui, TOLD), **medium)


def not_more_often(heard, sent):
    left = list(sent)
    for apdu in heard:
        left.remove(apdu)  # fails for what was not sent, or not as often


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.1, 0.4]),
    double=st.sampled_from([0.0, 0.5, 1.0]),
    damage=st.sampled_from([0.0, 0.1]),
    late=st.sampled_from([0.0, 2.9]),
    words=st.lists(st.sampled_from([b"a", b"b", b"long" * 50]), min_size=1, max_size=15),
    disturb=st.lists(st.sampled_from(TROUBLES), max_size=3),
    pause=st.sampled_from([0, 3, 40]),
)
@pytest.mark.covers("IF-C")
def test_no_apdu_is_wrong_doubled_or_mixed(seed, loss, double, damage, late, words, disturb, pause):
    """Equal APDUs in a row are the hard case: frames have no numbers."""
    carrier = answering(network(seed=seed, loss=loss, double=double, damage=damage, late=late))
    sent = {(0, number): [] for number in (1, 2, 3)} | {(number, 0): [] for number in (1, 2, 3)}
    disturb = list(disturb)
    carrier.run(150)
    for turn, word in enumerate(words):
        carrier.run(carrier.now + pause)
        for number, eui in enumerate(EUIS, 1):
            if eui in carrier.stations[0].members:
                sent[0, number].append(word)
                carrier.send(0, eui, word)
            if carrier.stations[number].state is ServerState.REGISTERED:
                try:
                    carrier.send(number, BASE, b"up " + word)
                except LocalProtocolError:
                    continue
                sent[number, 0].append(b"up " + word)
        if disturb and turn % 3 == 1:
            carrier.trouble(disturb.pop())
    carrier.run(carrier.now + 2000)
    for number, eui in enumerate(EUIS, 1):
        not_more_often(carrier.apdus(number), sent[0, number])
        up = [event.apdu for event in carrier.of(0, Apdu) if event.eui == eui]
        not_more_often([apdu for apdu in up if apdu.startswith(b"up ")], sent[number, 0])
        not_more_often(
            [apdu for apdu in up if apdu.startswith(b"to ")], [b"to " + one for one in carrier.apdus(number)]
        )


def test_with_time_everything_arrives_over_a_bad_medium():
    carrier = answering(network(loss=0.2, double=0.3, late=2.9, damage=0.02, seed=5))
    carrier.run(1500)
    assert set(carrier.stations[0].members) == set(EUIS)
    for number in range(12):
        for eui in EUIS:
            carrier.send(0, eui, b"%d" % number)
    carrier.run(4000)
    answers = [b"to %d" % number for number in range(12)]
    for eui in EUIS:
        heard = [event.apdu for event in carrier.of(0, Apdu) if event.eui == eui]
        lost = [event.apdu for event in carrier.of(0, Undelivered) if event.eui == eui]
        assert len(heard) + len(lost) >= 12
        assert len(heard) >= 9
        assert heard == [answer for answer in answers if answer in heard]


@settings(max_examples=60, deadline=None)
@given(frames=st.lists(st.tuples(st.booleans(), st.binary(max_size=60)), max_size=20))
def test_any_octets_are_survived_and_told(frames):
    carrier = network()
    carrier.run(150)
    check_noise(carrier, frames)


@settings(max_examples=30, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 90), st.integers(1, 255)), max_size=30),
)
def test_sound_frames_with_changed_octets_are_survived(changes):
    carrier = network()
    carrier.run(150)
    for eui in EUIS:
        carrier.send(0, eui, bytes(200))
    carrier.run(200)
    heard = len(carrier.apdus(1))
    inject_changed(carrier, changes)
    assert len(carrier.apdus(1)) == heard
    assert carrier.apdus(0) == []
