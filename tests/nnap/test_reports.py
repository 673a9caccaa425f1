"""Bulk reports: every row in exactly one of them, whatever happens between."""

import gzip

import pytest
import zstandard

from meterway.base.obis import Obis
from meterway.model.report import decode_report
from meterway.nnap.device import Rules
from meterway.nnap.plan import PlanRules
from meterway.nnap.reading import ReadRules
from meterway.nnap.reports import Reporter, compressed
from nnap.test_site import site
from nnap_network import START, Network

pytestmark = pytest.mark.covers("E-NNAP", "IF-G2")

LOAD, LOG = Obis(1, 0, 99, 1, 0), Obis(0, 0, 99, 98, 0)
RULES = Rules(plan=PlanRules(every_s=900.0), read=ReadRules(profiles=(LOAD,), logs=(LOG,), registers=False))


def reports(network):
    return [decode_report(gzip.decompress(one.octets)) for one in network.store.reports()]


def test_a_report_says_what_was_read_in_the_meters_own_numbers():
    network = Network(rules=RULES).start()
    network.run(200)
    network.nodes[0].meter.cut_supply(network.carrier.now())
    network.nodes[0].meter.restore_supply(network.carrier.now() + 1)
    network.run(1800)
    reporter = Reporter(site(network))
    assert reporter.build(network.carrier.now())
    (report,) = reports(network)
    first = next(one for one in report.meters if one.serial == "M00001")
    energy = next(place for place, one in enumerate(first.columns) if one.obis == "1-0:1.8.0*255")
    assert (first.columns[energy].scaler, first.columns[energy].unit) == (0, 30)
    slots = network.nodes[0].meter.energy_slots(first.times[0] // 900, len(first.times))
    assert first.values[energy] == slots[:, 0].tolist()
    assert first.period_s == 900
    assert len(first.status) == len(first.times)
    assert {event.code for event in report.events if event.serial == "M00001"} >= {1, 2}
    assert any(event.serial == "NNAP0001" for event in report.events)
    assert next((node.serial, node.state) for node in report.topology) == ("M00001", "member")


def test_each_row_is_in_one_report_and_nothing_new_makes_none():
    network = Network(rules=RULES).start()
    reporter, seen = Reporter(site(network), rows=100), []
    for _ in range(6):
        network.run(1200)
        while reporter.build(network.carrier.now()):
            pass
    assert reporter.build(network.carrier.now()) == ""
    found = reports(network)
    for report in found:
        seen += [(one.serial, time) for one in report.meters for time in one.times]
    assert len(seen) == len(set(seen))
    assert len(seen) == sum(network.store.count_rows(number, LOAD) for number in (1, 2, 3))
    assert len({report.id for report in found}) == len(found)
    assert [report.from_ for report in found[1:]] == [report.to for report in found[:-1]]


def test_a_meter_that_was_removed_is_still_reported():
    network = Network(rules=RULES).start()
    network.run(200)
    node = network.node()
    network.driver.call(lambda device, now: device.remove(node.eui, now))
    network.ledger.drop_node(node)
    Reporter(site(network)).build(network.carrier.now())
    assert "M00001" in {one.serial for one in reports(network)[0].meters}


def test_xml_and_each_compression():
    network = Network(meters=1, rules=RULES).start()
    network.run(200)
    Reporter(site(network), form="xml", compression="zstd").build(START + 200)
    octets = network.store.reports()[0].octets
    assert decode_report(zstandard.decompress(octets), xml=True).nnap == "NNAP0001"
    assert compressed(b"x", "none") == b"x"
    assert len(octets) < 4000
