"""Firmware by broadcast: all meters get it over a lossy network, at a fraction of what one by one would take."""

import hashlib
import random

import pytest

from meterway.base.errors import ConfigError
from meterway.nnap.broadcast import Broadcaster
from meterway.nnap.device import Rules
from meterway.nnap.events import Code
from meterway.nnap.image import Campaign, CampaignRules, Firmware, Phase, Progress
from meterway.nnap.plan import PlanRules
from meterway.stacks.dlms.classes.image_transfer import ImageTransfer
from meterway.stacks.dlms.xdlms.results import ActionResult
from nnap_network import BROADCAST_KEYS, START, TITLE, Network

pytestmark = pytest.mark.covers("E-NNAP", "UC-IN-05")


def firmware(size, *, genuine=True):
    body = random.Random(1).randbytes(size - 32)
    digest = hashlib.sha256(body).digest()
    return Firmware(identifier=b"MWY-2", image=body + (digest if genuine else bytes(32)))


def network(*profiles, **changes):
    one = Network(
        profiles=profiles or ("idis",), rules=Rules(plan=PlanRules(parallel=0), answer_s=30.0), **changes
    ).start()
    one.run(300)
    return one


def campaign(one, image, *, resumed=False, **changes):
    sender = Broadcaster(title=TITLE, keys=BROADCAST_KEYS, counter=one.ledger.send_counter(at_least=0))
    rules = CampaignRules(**{"pace_s": 0.5, **changes})
    work = Campaign(
        one.concentrator, sender, image, list(one.concentrator.roll), rules, now=one.carrier.now(), resumed=resumed
    )
    one.driver.call(lambda device, now: device.workers.append(work))
    return work


def finish(one, work, limit_s=200_000):
    end = one.carrier.now() + limit_s
    while work.phase is not Phase.DONE and one.carrier.now() < end:
        one.run(60)


@pytest.mark.covers("E-NNAP-6")
def test_every_meter_gets_it_over_three_lossy_hops():
    one = network(meters=12, hops=3, loss=0.1)
    work = campaign(one, firmware(12_000))
    finish(one, work)
    assert set(work.progress.values()) == {Progress.ACTIVE}
    assert {node.meter.firmware for node in one.nodes} == {b"MWY-2"}
    assert work.rounds > 1
    assert work.unicasts < 12 * work.firmware.count / 4
    assert Code.IMAGE_DONE in one.codes()


def test_many_lacking_is_repaired_by_broadcast_and_few_by_unicast():
    one = network(meters=6)
    deaf = one.carrier.ports[1].on_frame
    one.carrier.ports[1].on_frame = lambda frame: None if frame.is_broadcast else deaf(frame)
    work = campaign(one, firmware(2_000), many=4)
    finish(one, work)
    assert set(work.progress.values()) == {Progress.ACTIVE}
    assert work.unicasts == work.firmware.count
    assert work.broadcasts == work.firmware.count + 6 + 2, "the opening six times; verify and activate once"


def test_where_much_is_lost_all_blocks_go_again_before_every_meter_is_asked():
    one = network(meters=10, hops=3, loss=0.3)
    work = campaign(one, firmware(3_000), many=1, sample=3, passes=2)
    finish(one, work)
    assert set(work.progress.values()) == {Progress.ACTIVE}
    assert work.passes == 2
    assert work.broadcasts >= 2 * work.firmware.count + 6
    still = network(meters=10)
    work = campaign(still, firmware(3_000), many=1, sample=3, passes=2)
    finish(still, work)
    assert (work.passes, work.rounds, work.unicasts) == (1, 1, 0)


def test_who_has_confirmed_all_that_it_lacked_is_not_asked_again():
    one = network(meters=3)
    deaf = one.carrier.ports[1].on_frame
    one.carrier.ports[1].on_frame = lambda frame: None if frame.is_broadcast else deaf(frame)
    work = campaign(one, firmware(1_000))
    finish(one, work)
    assert set(work.progress.values()) == {Progress.ACTIVE}
    assert (work.rounds, work.unicasts) == (1, work.firmware.count)


def test_meters_with_parity_heal_what_each_of_them_lacks_with_few_symbols():
    one = network("idis-parity", meters=24, hops=3, loss=0.1)
    work = campaign(one, firmware(12_000))
    finish(one, work)
    assert set(work.progress.values()) == {Progress.ACTIVE}
    assert {node.meter.firmware for node in one.nodes} == {b"MWY-2"}
    assert work.passes == CampaignRules().passes
    assert 0 < work.symbols < work.firmware.count, "more than that would be as dear as to send every block again"
    assert work.broadcasts == 6 + work.firmware.count + work.symbols + 2
    without = network(meters=24, hops=3, loss=0.1)
    plain = campaign(without, firmware(12_000))
    finish(without, plain)
    assert plain.symbols == 0
    assert work.broadcasts < plain.broadcasts
    assert work.unicasts < plain.unicasts
    assert one.carrier.airtime_s < 0.8 * without.carrier.airtime_s


def test_meters_with_and_without_parity_share_a_campaign():
    one = network("idis", "idis-parity", meters=8, hops=3, loss=0.15)
    work = campaign(one, firmware(6_000), many=2)
    finish(one, work)
    assert set(work.progress.values()) == {Progress.ACTIVE}
    assert work.symbols > 0


def test_a_meter_whose_profile_promises_parity_it_has_not_is_repaired_by_blocks():
    one = network(meters=4, loss=0.1)
    for node in one.concentrator.roll:
        node.profile = "idis-parity"
    work = campaign(one, firmware(3_000))
    finish(one, work)
    assert set(work.progress.values()) == {Progress.ACTIVE}


def test_who_did_not_answer_is_asked_again_before_it_counts_as_whole():
    """Of some it lacked all were told again; what it had said before is then only half of what it lacks."""
    one = network("idis", "idis-parity", meters=21, hops=2, loss=0.3)
    work = campaign(one, firmware(5_777))
    finish(one, work)
    assert set(work.progress.values()) == {Progress.ACTIVE}
    assert work.rounds > 2


@pytest.mark.parametrize("profile", ["idis", "idis-parity"])
def test_a_meter_that_forgets_its_image_before_it_has_verified_it_gets_it_again(profile):
    one = network(profile, meters=4)
    work = campaign(one, firmware(1_000))
    while work.phase is not Phase.VERIFYING:
        one.run(1)
    one.nodes[3].meter.image = one.nodes[3].meter.image_parity = None
    finish(one, work)
    assert set(work.progress.values()) == {Progress.ACTIVE}
    assert work.unicasts == work.firmware.count


def test_a_meter_that_verifies_nothing_is_given_up():
    one = network(meters=2)

    class Stubborn(ImageTransfer):
        def verify(self, check):
            return ActionResult.OTHER_REASON

    one.nodes[1].meter.image = Stubborn(enabled=True)
    work = campaign(one, firmware(500), most_rounds=3)
    finish(one, work)
    assert work.progress == {"M00001": Progress.ACTIVE, "M00002": Progress.FAILED}


def test_an_interrupted_campaign_with_parity_goes_on():
    one = network("idis-parity", meters=6, hops=2, loss=0.1)
    work = campaign(one, firmware(8_000))
    one.run(20)
    assert 6 < work.broadcasts < work.firmware.count
    one.concentrator.workers.clear()
    again = campaign(one, firmware(8_000), resumed=True, many=2)
    finish(one, again)
    assert set(again.progress.values()) == {Progress.ACTIVE}
    assert again.symbols > 0


def test_a_meter_that_is_gone_fails_and_does_not_hold_up_the_others():
    one = network(meters=4)
    one.carrier.ports[2].on_frame = None
    work = campaign(one, firmware(1_000), tries=3)
    finish(one, work)
    assert work.progress["M00002"] is Progress.FAILED
    assert sorted(work.progress.values(), key=str).count(Progress.ACTIVE) == 3
    assert Code.IMAGE_FAILED in one.codes()


def test_an_image_that_is_not_genuine_is_activated_nowhere():
    one = network(meters=2)
    work = campaign(one, firmware(1_000, genuine=False))
    finish(one, work)
    assert set(work.progress.values()) == {Progress.FAILED}
    assert {node.meter.firmware for node in one.nodes} == {b"MWY-1.0.0"}


def test_activation_waits_for_its_time():
    one = network(meters=2)
    work = campaign(one, firmware(1_000), activate_s=START + 20_000)
    one.run(10_000)
    assert work.phase is Phase.WAITING
    assert {node.meter.firmware for node in one.nodes} == {b"MWY-1.0.0"}
    one.run(11_000)
    assert {node.meter.firmware for node in one.nodes} == {b"MWY-2"}


def test_an_interrupted_campaign_goes_on_where_it_was():
    one = network(meters=3)
    work = campaign(one, firmware(8_000))
    one.run(20)
    sent = work.broadcasts
    assert 0 < sent < work.firmware.count
    one.concentrator.workers.clear()
    again = campaign(one, firmware(8_000), resumed=True, many=2)
    finish(one, again)
    assert set(again.progress.values()) == {Progress.ACTIVE}
    assert again.broadcasts <= work.firmware.count - sent + 10


def test_a_campaign_wants_an_image_and_meters():
    one = network(meters=1)
    sender = Broadcaster(title=TITLE, keys=BROADCAST_KEYS, counter=one.ledger.send_counter(at_least=0))
    with pytest.raises(ConfigError):
        Campaign(one.concentrator, sender, firmware(100), [], CampaignRules(), now=START)
