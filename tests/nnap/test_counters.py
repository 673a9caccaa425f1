"""Counters of the associations northbound."""

from meterway.nnap.counters import DlmsCounters
from meterway.nnap.site import Party
from nnap.test_site import site
from nnap_network import Network


def test_no_counter_is_used_twice_and_received_ones_are_remembered(tmp_path):
    network = Network(meters=1, path=tmp_path / "s")
    party = Party(name="o", client=1, secret=bytes(16))
    counters = DlmsCounters(network.store, site(network, (party,)))
    used = [counters.sending(party, 0).take() for _ in range(3)]
    assert counters.sending(party, 1) is not counters.sending(party, 0)
    counters.receiving(party, 0).last = 77
    counters.save()
    again = DlmsCounters(network.store, site(network, (party,)))
    assert again.sending(party, 0).take() > max(used)
    assert again.receiving(party, 0).last == 77
    assert again.receiving(party, 1).last == -1
