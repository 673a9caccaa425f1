"""The objects of the concentrator itself."""

from meterway.base.obis import Obis
from meterway.mapping.profile import load_profile
from meterway.mapping.transformer import BALANCES
from meterway.nnap.objects.own import METER_IMAGE, own_things
from meterway.nnap.objects.table import Ask
from meterway.nnap.site import Party
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult
from nnap.test_site import site
from nnap_network import START, Network


def asked(network):
    party = Party(name="o", client=1, secret=bytes(16))
    return Ask(site(network, (party,)), 0, START, party)


def test_all_that_the_companion_profile_names_is_there_and_every_attribute_answers():
    things = {thing.key: thing for thing in own_things()}
    wanted = {(one.class_id, one.obis) for one in load_profile("nnap").objects.values()}
    assert wanted - set(things) <= {(15, Obis(0, 0, 40, 0, 0)), (64, Obis(0, 0, 43, 0, 0))}
    ask = asked(Network(meters=2))
    for thing in things.values():
        if thing.obis[2:4] == BALANCES[2:4] and thing.obis != BALANCES:
            continue  # there once a day was judged
        for attribute in thing.attributes.values():
            answer = attribute.read(ask)
            octets = axdr.encode(answer) if isinstance(answer, Data) else answer
            assert isinstance(octets, bytes)
            axdr.decode_all(octets)


def test_the_clock_can_be_set_and_stays_set():
    network = Network(meters=1)
    ask = asked(network)
    clock = next(thing for thing in own_things() if thing.class_id == 8).attributes[2]
    moment = axdr.octets(axdr.CosemDateTime.decode(bytes(clock.read(ask).value)).encode())
    later = ask._replace(now=START + 100)
    assert clock.write(later, moment) is DataAccessResult.SUCCESS
    assert ask.site.clock_offset_s == -100
    assert network.ledger.clock_offset_s == -100
    assert clock.write(ask, axdr.null()) is DataAccessResult.OTHER_REASON


def test_an_image_without_meters_to_give_it_to_or_in_parts_is_not_begun():
    ask = asked(Network(meters=1))
    image = next(thing for thing in own_things() if thing.obis == METER_IMAGE)
    assert image.methods[1].call(ask, axdr.null()) is ActionResult.TYPE_UNMATCHED
    assert image.methods[2].call(ask, axdr.null()) is ActionResult.TYPE_UNMATCHED
    assert image.methods[4].call(ask, axdr.null()) is not ActionResult.SUCCESS
