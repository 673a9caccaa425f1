"""A neighbourhood on a simulated power line: every meter joins, and every question is answered once, over bad links."""

from collections import Counter

import pytest

from meterway.interfaces.stationed import Stationed
from meterway.links.medium.neighbourhood.memory import SimulatedNeighbourhood
from meterway.links.medium.neighbourhood.settings import preset
from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.stacks.neighbourhood.station import Apdu, Left, Undelivered

METERS = 40


@pytest.mark.covers("IF-C")
@pytest.mark.parametrize(("name", "hours"), [("prime", 2), ("s-fsk", 3)])
def test_a_lossy_network_of_three_hops_answers_every_question_once(name, hours):
    """The medium is a model: a tenth of all transmissions fails, a twentieth of what arrives comes twice."""
    network = SimulatedNeighbourhood(preset(name, loss=0.1, hops=3, duplicated=0.05, seed=7))
    profile, told, heard, asked = PROFILES[name], Counter(), [], []

    def on_event(event):
        told[type(event)] += 1
        if isinstance(event, Apdu):
            heard.append((event.eui, event.apdu))

    base = Stationed(profile.coordinator(b"BASE0001", lambda eui: b""), network.join(0), network, on_event)
    for number in range(1, METERS + 1):
        meter(profile, network, number).start()
    base.start()
    network.run(3600 * (hours - 1))
    members = base.station.members
    assert len(members) == METERS
    for turn in range(6):
        for eui in list(members):
            apdu = b"%d?" % turn + eui
            base.station.send_apdu(eui, apdu, client=1, server=1, now=network.now())
            asked.append((eui, b"answer to " + apdu))
        base.flush()
        network.run(network.now() + 600)
    undelivered = told[Undelivered]
    assert len(set(heard)) == len(heard)
    assert set(heard) <= set(asked)
    assert len(heard) >= len(asked) - undelivered - 1
    assert undelivered <= len(asked) // 50
    assert told[Left] == 0


def meter(profile, network, number):
    """One that answers what it is asked."""

    def on_event(event):
        if isinstance(event, Apdu):
            answer = b"answer to " + event.apdu
            stationed.station.send_apdu(event.eui, answer, client=event.client, server=event.server, now=network.now())

    stationed = Stationed(profile.node(b"METER%03d" % number, b""), network.join(number), network, on_event)
    return stationed
