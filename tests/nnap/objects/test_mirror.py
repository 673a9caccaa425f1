"""Mirrored data: what the meter said, and how old it is."""

from meterway.base.obis import Obis
from meterway.nnap.objects.mirror import AGE, mirror_things
from meterway.nnap.objects.table import Ask
from meterway.nnap.site import Party
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.xdlms.results import DataAccessResult
from nnap.test_site import site
from nnap_network import Network


def test_every_object_that_was_read_is_there_with_the_meters_octets():
    network = Network(meters=1).start()
    network.run(300)
    party = Party(name="o", client=1, secret=bytes(16))
    ask = Ask(site(network, (party,)), 1, network.carrier.now(), party)
    things = {thing.key: thing for thing in mirror_things(ask)}
    energy = things[3, Obis(1, 0, 1, 8, 0)]
    assert energy.attributes[3].read(ask) == b"\x02\x02\x0f\x00\x16\x1e"
    profile = things[7, Obis(1, 0, 99, 1, 0)]
    assert profile.attributes[7].read(ask).value == 96
    assert axdr.to_native(profile.attributes[4].read(ask))[0] == 900
    assert 200 < things[3, AGE].attributes[2].read(ask).value < 301
    clock = axdr.CosemDateTime.decode(things[8, Obis(0, 0, 1, 0, 0)].attributes[2].read(ask).value)
    assert abs(clock.utc(0).timestamp() - ask.now) < 2


def test_before_the_first_reading_there_is_nothing_to_say():
    network = Network(meters=1)
    party = Party(name="o", client=1, secret=bytes(16))
    ask = Ask(site(network, (party,)), 1, network.carrier.now(), party)
    things = {thing.key: thing for thing in mirror_things(ask)}
    assert things[3, AGE].attributes[2].read(ask) is DataAccessResult.OBJECT_UNAVAILABLE
    assert things[8, Obis(0, 0, 1, 0, 0)].attributes[2].read(ask) is DataAccessResult.OBJECT_UNAVAILABLE
