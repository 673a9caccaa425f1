"""What the script of a meter reads: its model, once; then what is missing, and nothing twice."""

import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.nnap.device import Rules
from meterway.nnap.events import Code
from meterway.nnap.plan import PlanRules
from meterway.nnap.reading import ReadRules, as_typed, wanted_of
from meterway.stacks.dlms.classes.elements import ScalerUnit
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from nnap_network import Network

LOAD, LOG = Obis(1, 0, 99, 1, 0), Obis(0, 0, 99, 98, 0)
ENERGY = Obis(1, 0, 1, 8, 0)


def test_all_that_the_companion_profile_collects_is_read():
    network = Network(meters=1).start()
    network.run(300)
    node, wanted = network.node(), wanted_of("idis")
    assert LOAD in wanted.profiles
    assert set(node.mirror.series) == {*wanted.profiles, *wanted.logs}
    unit = network.ledger.attribute(node, AttributeDescriptor(3, ENERGY, 3))
    assert as_typed(3, 3, unit.octets) == ScalerUnit(scaler=0, unit=30)
    assert network.ledger.attribute(node, AttributeDescriptor(3, ENERGY, 2)) is not None
    assert node.mirror.series[LOAD].columns[0].class_id == 8
    assert node.mirror.series[LOAD].period_s == 900
    assert as_typed(3, 3, b"\xff") is None
    with pytest.raises(ConfigError):
        wanted_of("nowhere")


def test_new_events_of_a_meter_come_once():
    rules = Rules(plan=PlanRules(every_s=600.0), read=ReadRules(profiles=(), logs=(LOG,), registers=False))
    network = Network(meters=1, rules=rules).start()
    network.run(100)
    before = network.store.count_rows(1, LOG)
    network.nodes[0].meter.cut_supply(network.carrier.now())
    network.nodes[0].meter.restore_supply(network.carrier.now() + 1)
    network.run(3600)
    assert network.store.count_rows(1, LOG) == before + 2


def test_a_clock_that_may_not_be_set_is_reported():
    rules = Rules(read=ReadRules(profiles=(), logs=(), registers=False, sets_clock=False))
    network = Network(meters=1, rules=rules, drift_s=300.0).start()
    network.run(60)
    assert Code.METER_CLOCK_OFF in network.codes()
    assert network.node().mirror.clock_error_s == pytest.approx(300.0, abs=2.0)
    assert network.nodes[0].meter.clock_error_s(network.carrier.now()) == 300.0


def test_a_gap_in_the_meter_is_passed_over_once_it_is_old():
    rules = Rules(plan=PlanRules(every_s=3600.0, rows=16), read=ReadRules(profiles=(LOAD,), logs=(), registers=False))
    network = Network(meters=1, rules=rules)
    now = network.carrier.now()
    network.nodes[0].meter.add_outage(now - 20 * 3600, now - 10 * 3600)
    network.start().run(300)
    assert network.store.count_rows(1, LOAD) == 96 - 40
    assert network.node().mirror.series[LOAD].upto_s > now - 1800
