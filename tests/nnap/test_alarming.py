"""Alarms from the watch to log, file, report and head end."""

import pytest

from meterway.base.ciphers import Gcm12
from meterway.base.errors import ConfigError
from meterway.mapping.alarms import Alarm, AlarmKind, decode_alarms
from meterway.model.report import decode_report
from meterway.nnap.alarming import Alarming, AlarmPusher, alarm_push
from meterway.nnap.events import Code
from meterway.nnap.reports import Reporter
from meterway.nnap.site import Party
from meterway.nnap.store import Store
from meterway.nnap.watch import WatchRules
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.security.context import open_octets
from meterway.store.party_counters import PartyCounters
from nnap.test_site import site
from nnap_network import START, Network

pytestmark = pytest.mark.covers("E-NNAP-8", "IF-G2", "SEC-09")
RULES = WatchRules(start_s=0.0)


def alarming(network, **given):
    return Alarming(network.store, network.concentrator, RULES, now=START, **{"reports": True, "pushes": True, **given})


def test_an_alarm_is_logged_kept_reported_and_waits_to_be_pushed(tmp_path):
    network = Network(path=tmp_path / "store").start()
    network.run(60)
    one = alarming(network)
    network.concentrator.station.expel(network.node(2).eui, network.carrier.now())
    network.node(2).member = None
    for _ in range(60):
        one.turn(network.carrier.now())
        network.carrier.time += 30
    assert Code.LOST_RAISED in [event.code for event in network.concentrator.events]
    assert [alarm.subject for alarm in one.watch.alarms()] == ["M00002"]
    here = site(network)
    assert Reporter(here, compression="none").build(network.carrier.now())
    report = decode_report(network.store.reports()[-1].octets)
    assert [(alarm.kind, alarm.subject, alarm.cleared) for alarm in report.alarms] == [("lost", "M00002", 0)]
    assert any(event.code == Code.LOST_RAISED for event in report.events)
    assert network.store.spooled_alarms("report") == []
    assert len(network.store.spooled_alarms("push")) == 1
    again = alarming(network)
    assert again.watch.alarms() == one.watch.alarms()
    again.turn(network.carrier.now())
    assert len(network.store.spooled_alarms("push")) == 1


def test_nothing_is_kept_for_whom_there_is_not_and_not_without_end():
    network = Network()
    one = alarming(network, reports=False, pushes=False)
    one.set_balance(True, "3 days", START)
    assert network.store.spooled_alarms("push") == network.store.spooled_alarms("report") == []
    assert [event.code for event in network.concentrator.events][-1] is Code.BALANCE_OFF
    store = Store(":memory:")
    with store.transaction():
        for number in range(1100):
            store.spool_alarm("push", b"%d" % number)
    assert len(store.spooled_alarms("push")) == 1000
    assert store.spooled_alarms("push", 1)[0][1] == b"100"


def test_a_push_says_which_kinds_stand_and_what_changed():
    network = Network()
    party = Party(name="o", client=1, secret=bytes(16))
    here = site(network, (party,))
    stands = Alarm(kind=AlarmKind.MEDIUM, subject="", raised=5)
    here.alarms = lambda: (stands,)
    ended = Alarm(kind=AlarmKind.LOST, subject="M1", raised=1, cleared=9)
    apdu = alarm_push(here, party, PartyCounters(network.store, here), (ended, stands), now=START, invoke=7)
    keys = here.keys(party, 0)
    envelope = decode_apdu(apdu)
    assert envelope.system_title == here.title(0)
    plain, _, _ = open_octets(Gcm12(keys.encryption), keys.authentication, envelope.system_title, envelope.protected)
    body = axdr.decode_all(decode_apdu(plain).body)
    assert [part.value for part in body.value[:3]] == [bytes((0, 4, 25, 9, 0, 255)), bytes((0, 0, 97, 98, 0, 255)), 16]
    assert decode_alarms(axdr.encode(body.value[4])) == (ended, stands)
    with pytest.raises(ConfigError):
        AlarmPusher("h", 1, "nobody", here, PartyCounters(network.store, here), lambda: START)
