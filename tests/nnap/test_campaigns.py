"""One campaign at a time; it outlives the process, and is forgotten when it is done."""

import pytest

from meterway.nnap.broadcast import Broadcaster
from meterway.nnap.campaigns import Campaigns
from meterway.nnap.device import Rules
from meterway.nnap.image import CampaignRules, Phase
from meterway.nnap.plan import PlanRules
from nnap.test_image import firmware
from nnap_network import BROADCAST_KEYS, TITLE, Network

pytestmark = pytest.mark.covers("E-NNAP", "UC-IN-05")


@pytest.fixture
def network():
    one = Network(profiles=("idis",), rules=Rules(plan=PlanRules(parallel=0), answer_s=30.0), meters=3).start()
    one.run(300)
    return one


def campaigns(one, *, can_send=True):
    sender = Broadcaster(title=TITLE, keys=BROADCAST_KEYS, counter=one.ledger.send_counter(at_least=0))
    rules = CampaignRules(pace_s=0.5)
    return Campaigns(one.concentrator, one.ledger, one.store, sender if can_send else None, rules)


def test_a_second_campaign_waits_for_the_first(network):
    found = campaigns(network)
    now = network.carrier.now()
    assert found.begin(firmware(2_000), now)
    assert not found.begin(firmware(3_000), now)
    assert network.concentrator.workers[-1] is found.running
    found.settle()
    assert found.running is not None


def test_a_campaign_goes_on_after_a_restart_and_is_forgotten_when_it_is_done(network):
    now = network.carrier.now()
    assert campaigns(network).begin(firmware(2_000), now)
    network.concentrator.workers.pop()
    again = campaigns(network)
    again.resume(now)
    assert again.running is not None
    assert again.running.firmware == firmware(2_000)
    assert again.running.phase is Phase.ASKING
    again.running.phase = Phase.DONE
    again.settle()
    assert again.running is None
    fresh = campaigns(network)
    fresh.resume(now)
    assert fresh.running is None


def test_without_the_groups_key_there_is_no_campaign(network):
    assert not campaigns(network, can_send=False).begin(firmware(2_000), network.carrier.now())
