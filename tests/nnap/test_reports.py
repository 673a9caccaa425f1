"""Bulk reports: every row in exactly one of them, whatever happens between."""

import gzip
from datetime import UTC, datetime

import pytest
import zstandard

from meterway.base.obis import Obis
from meterway.model.report import decode_report
from meterway.nnap.device import Rules
from meterway.nnap.events import Code
from meterway.nnap.node import Series
from meterway.nnap.plan import PlanRules
from meterway.nnap.reading import ReadRules
from meterway.nnap.reports import Reporter, compressed
from meterway.nnap.rows import Row
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME
from nnap.test_balancing import FIRST, LOADS, Street, steady
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


# -- what a profile captures changes ----------------------------------------------------------------------------------

ACTIVE = CaptureObject(class_id=3, obis=Obis(1, 0, 1, 8, 0), attribute=2, data_index=0)
EXPORT = CaptureObject(class_id=3, obis=Obis(1, 0, 2, 8, 0), attribute=2, data_index=0)


def given_row(at: int, *values: int) -> Row:
    moment = axdr.octets(CosemDateTime.from_utc(datetime.fromtimestamp(at, UTC)).encode())
    return Row(at, axdr.encode(axdr.structure(moment, *map(axdr.u32, values))))


def changing() -> Network:
    """A node whose profile captured one register and then another."""
    network = Network(meters=1, rules=RULES)
    node = network.node()
    series = node.mirror.series[LOAD] = Series(obis=LOAD, period_s=900, columns=(CLOCK_TIME, ACTIVE))
    network.ledger.rows(node, series, [given_row(900, 1), given_row(1800, 2)], 1800.0)
    series.columns, series.period_s = (CLOCK_TIME, EXPORT), 3600
    network.ledger.series(node, series)
    network.ledger.rows(node, series, [given_row(3600, 7)], 3600.0)
    return network


def test_rows_are_reported_under_the_columns_they_were_captured_with():
    network = changing()
    Reporter(site(network)).build(START)
    (report,) = reports(network)
    found = [(one.columns[0].obis, one.period_s, one.times, one.values) for one in report.meters]
    assert found == [
        ("1-0:1.8.0*255", 900, [900, 1800], [[1, 2]]),
        ("1-0:2.8.0*255", 3600, [3600], [[7]]),
    ]


def test_the_mirror_has_only_rows_of_the_columns_it_shows():
    network = changing()
    assert [row.time_s for row in network.store.rows(1, LOAD)] == [3600]
    assert network.store.count_rows(1, LOAD) == 1


def test_a_row_that_is_not_of_its_columns_is_left_out_and_logged_with_its_place():
    network = changing()
    with network.store.transaction():
        network.store.add_rows(1, LOAD, [given_row(7200, 8, 9)])
        network.store.add_rows(1, LOG, [given_row(7200, 1)])
    Reporter(site(network)).build(START)
    (report,) = reports(network)
    assert 7200 not in [at for one in report.meters for at in one.times]
    refused = [
        event.detail.removesuffix(" (offset 0)")
        for event in network.concentrator.events
        if event.code == Code.ROW_REFUSED
    ]
    assert refused == [
        "1-0:99.1.0*255, row 4: 3 values where there are 2 columns",
        "0-0:99.98.0*255, row 5: 1 rows of nothing that is known",
    ]


def test_a_day_of_the_transformer_is_in_one_report_and_again_when_it_was_judged_anew():
    street = Street()
    for xml in (False, True):
        street.read_all(LOADS, steady(100), day=int(xml))
        street.judge(int(xml))
        reporter = Reporter(site(street.network), form="xml" if xml else "json", compression="none")
        assert reporter.build(FIRST)
        report = decode_report(street.ledger.store.reports()[-1].octets, xml=xml)
        kept = street.days[-1]
        (told,) = report.balances
        assert (told.day, told.given, told.taken, told.verdict) == (kept.day, kept.given, kept.taken, "within")
        assert reporter.build(FIRST) == ""
    street.read(1, steady(2), day=1, hours=range(2, 4))  # the register fell: two of its hours are not known
    street.judge(1)
    assert Reporter(site(street.network), compression="none").build(FIRST)
    (again,) = decode_report(street.ledger.store.reports()[-1].octets).balances
    assert (again.day, again.revision) == (kept.day, 2)
    assert again.missing[0].serial == "M1"
