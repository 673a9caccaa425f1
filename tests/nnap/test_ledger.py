"""The concentrator over a restart: nothing known is asked again, no counter is used twice, keys stay sealed."""

import pytest

from meterway.base.errors import ConfigError, SecurityError
from meterway.base.obis import Obis
from meterway.nnap.device import Rules
from meterway.nnap.events import Code
from meterway.nnap.ledger import Ledger
from meterway.nnap.plan import PlanRules
from meterway.nnap.reading import ReadRules
from meterway.nnap.store import Store
from meterway.stacks.dlms.security.counter import counter_at
from meterway.store.vault import Vault
from nnap_network import Network, meter_config, node_of

pytestmark = pytest.mark.covers("E-NNAP")

LOAD = Obis(1, 0, 99, 1, 0)
RULES = Rules(plan=PlanRules(every_s=3600.0), read=ReadRules(profiles=(LOAD,), logs=(), registers=False))


def test_after_a_restart_only_what_is_new_is_read(tmp_path):
    network = Network(rules=RULES, path=tmp_path / "s").start()
    network.run(120)
    network.ledger.save(network.carrier.now())
    network.ledger.flush(network.concentrator)
    network.driver.close()
    network.store.close()
    used, before = network.concentrator._counter.next, network.carrier.sent[False]
    network.begin()
    assert network.concentrator._counter.next >= used
    assert network.node().mirror.learned
    assert network.node().mirror.series[LOAD].is_known
    network.driver.start()
    for node in network.nodes:
        node.stationed.station.handle_timeout(network.carrier.now())
        node.stationed.flush()
    network.run(7500)
    times = [row.time_s for row in network.store.rows(1, LOAD)]
    assert len(times) >= 104
    assert times == list(range(times[0], times[-1] + 900, 900))
    assert Code.NODE_JOINED in [event.code for event in network.store.events()]
    assert network.carrier.sent[False] - before < 2.5 * before


def test_keys_are_sealed_on_the_disk_and_open_under_the_same_master_key_only(tmp_path):
    network = Network(rules=RULES, path=tmp_path / "s")
    key = network.configs[0].keys.guek
    network.store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert key not in content
    with pytest.raises(SecurityError):
        Ledger(Store(tmp_path / "s"), Vault(bytes([1] * 32))).restore()


def test_a_removed_node_loses_its_keys_and_keeps_its_rows():
    network = Network(rules=RULES).start()
    network.run(120)
    node = network.node()
    network.driver.call(lambda device, now: device.remove(node.eui, now))
    network.ledger.drop_node(node)
    assert [number for number, _ in network.store.nodes()] == [2, 3]
    assert network.store.count_rows(1, LOAD) == 96


def test_who_takes_over_jumps_over_the_counters_of_the_primary(tmp_path):
    network = Network(rules=RULES, path=tmp_path / "s").start()
    network.run(60)
    network.store.copy_to(tmp_path / "copy")
    network.run(600)
    standby = Ledger(Store(tmp_path / "copy"), Vault(bytes(32)))
    standby.restore()
    standby.take_over()
    assert standby.send_counter(at_least=0).next > network.concentrator._counter.next + 900_000
    assert {node.serial for node in standby.roll} == {node.serial for node in network.ledger.roll}


@pytest.mark.covers("E-NNAP-8")
def test_events_are_told_once_they_are_on_the_disk():
    network = Network(rules=RULES)
    told = []
    network.ledger.on_events = told.extend
    network.ledger.flush(network.concentrator)
    assert [event.code for event in told] == [Code.NODE_LISTED] * 3
    network.ledger.flush(network.concentrator)
    assert len(told) == 3
    with pytest.raises(ConfigError):
        network.ledger.number(node_of(meter_config(9), 9))


@pytest.mark.covers("SEC-05")
def test_a_backup_that_is_put_back_repeats_no_counter(tmp_path):
    noon = 1_795_000_000.0
    network = Network(rules=RULES, path=tmp_path / "s")
    first = network.ledger.send_counter(at_least=counter_at(noon))
    first.take()
    network.store.copy_to(tmp_path / "backup")
    used = [first.take() for _ in range(30_000)]
    restored = Ledger(Store(tmp_path / "backup"), Vault(bytes(32)))
    assert restored.send_counter(at_least=counter_at(noon + 86400)).take() > max(used)


@pytest.mark.covers("E-NNAP-9")
def test_a_standby_jumps_over_what_was_used_and_takes_what_was_heard_and_reported_as_it_is(tmp_path):
    network = Network(path=tmp_path / "store")
    used = {"sent": 5, "broadcast": 6, "dlms-sent:00ff": 7}
    kept = {"dlms-received:00ff": 8, "reported-rows": 9, "reported-events": 10, "reports": 11, "balance-rows": 12}
    with network.store.transaction():
        for name, value in {**used, **kept}.items():
            network.store.keep_counter(name, value)
    network.ledger.take_over()
    assert {name: network.store.counter(name) for name in kept} == kept
    assert all(network.store.counter(name) >= value + 1_000_000 for name, value in used.items())
