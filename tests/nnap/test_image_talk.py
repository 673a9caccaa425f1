"""What one meter is asked and told in a campaign, service by service."""

from types import SimpleNamespace

import pytest

from meterway.nnap.image_parity import ParityPlan
from meterway.nnap.image_talk import ACTIVATE, BLOCK, INITIATE, VERIFY, WANTS, Firmware, ImageTalk, Progress, Target
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.image_transfer import ImageStatus
from meterway.stacks.dlms.client.script import Act, Get, GetList
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

pytestmark = pytest.mark.covers("E-NNAP-6")
FIRMWARE = Firmware(identifier=b"MWY-2", image=bytes(range(100)), block_size=10)
DONE, REFUSED = ActionOutcome(ActionResult.SUCCESS), ActionOutcome(ActionResult.OTHER_REASON)
INITIATED = axdr.encode(axdr.enum(ImageStatus.INITIATED))


def target(profile="idis"):
    return Target(SimpleNamespace(profile=profile, serial="M1"))


def talk():
    failed = []
    return ImageTalk(FIRMWARE, ParityPlan(FIRMWARE.count, 4), lambda one, why: failed.append(why)), failed


def run(script, *answers):
    """What the script asks, when it is told these answers."""
    asked, answers = [next(script)], list(answers)
    try:
        while True:
            asked.append(script.send(answers.pop(0)))
    except StopIteration:
        assert not answers
    return asked


def bits(*missing):
    return axdr.encode(axdr.bits("".join("0" if number in missing else "1" for number in range(10))))


def enum(status):
    return axdr.encode(axdr.enum(status))


def test_a_meter_tells_which_blocks_it_misses_in_one_answer():
    one, (scripts, _) = target(), talk()
    (asked,) = run(scripts.asking(one), (INITIATED, bits(2, 9)))
    assert isinstance(asked, GetList)
    assert (one.missing, one.asked, one.progress) == ({2, 9}, True, Progress.LACKING)
    run(scripts.asking(one), None, INITIATED, bits())
    assert one.progress is Progress.WHOLE


@pytest.mark.parametrize("told", [(enum(ImageStatus.NOT_INITIATED), bits()), (INITIATED, axdr.encode(axdr.bits("1")))])
def test_a_meter_that_has_not_begun_is_opened_and_does_not_count_as_asked(told):
    one, (scripts, _) = target(), talk()
    asked = run(scripts.asking(one), told, DONE)
    assert asked[-1] == Act(INITIATE, FIRMWARE.opening)
    assert (one.missing, one.asked) == (set(range(10)), False)


def test_a_meter_with_parity_tells_how_much_it_wants():
    one, (scripts, _) = target("idis-parity"), talk()
    (asked,) = run(scripts.asking(one), (INITIATED, axdr.encode(axdr.octets(b"\x03"))))
    assert asked.items[1] == (WANTS, None)
    assert (one.wants, one.missing, one.progress) == (b"\x03", set(), Progress.LACKING)
    run(scripts.asking(one), (INITIATED, axdr.encode(axdr.octets(b"\x00"))))
    assert one.progress is Progress.WHOLE


@pytest.mark.parametrize("wants", [axdr.octets(b""), axdr.octets(b"\x01\x01"), axdr.u8(0)])
def test_what_makes_no_sense_counts_as_not_begun(wants):
    one, (scripts, _) = target("idis-parity"), talk()
    assert run(scripts.asking(one), (INITIATED, axdr.encode(wants)), DONE)[-1] == Act(INITIATE, FIRMWARE.opening)
    assert (one.wants, one.progress) == (b"\x0a", Progress.LACKING)


def test_a_meter_that_does_not_have_the_object_is_asked_for_blocks_from_then_on():
    one, (scripts, _) = target("idis-parity"), talk()
    run(scripts.asking(one), (INITIATED, DataAccessResult.OBJECT_UNDEFINED), (INITIATED, bits(4)))
    assert (one.parity, one.wants, one.missing) == (False, b"", {4})


def test_repair_sends_what_is_missing_until_it_is_refused():
    one, (scripts, _) = target(), talk()
    one.missing = {1, 3, 5}
    asked = run(scripts.repairing(one), DONE, REFUSED)
    assert asked == [Act(BLOCK, FIRMWARE.block(1)), Act(BLOCK, FIRMWARE.block(3))]
    assert (one.missing, one.progress, scripts.unicasts) == ({3, 5}, Progress.LACKING, 2)


def test_repair_of_a_meter_with_parity_sends_as_many_as_it_wants_and_asks_then():
    one, (scripts, _) = target("idis-parity"), talk()
    one.wants = b"\x02"
    asked = run(scripts.repairing(one), bits(0, 4, 6, 8), DONE, DONE, (INITIATED, axdr.encode(axdr.octets(b"\x00"))))
    assert isinstance(asked[0], Get)
    assert asked[1:3] == [Act(BLOCK, FIRMWARE.block(0)), Act(BLOCK, FIRMWARE.block(4))]
    assert one.progress is Progress.WHOLE


def test_who_missed_the_word_is_told_alone_and_who_refuses_fails():
    one, (scripts, failed) = target(), talk()
    good = enum(ImageStatus.VERIFICATION_SUCCESSFUL)
    assert run(scripts.verifying(one), INITIATED, DONE, good)[1].method == VERIFY
    assert one.progress is Progress.VERIFIED
    assert run(scripts.activating(one), good, DONE, enum(ImageStatus.ACTIVATION_SUCCESSFUL))[1].method == ACTIVATE
    assert one.progress is Progress.ACTIVE
    assert failed == []
    run(scripts.verifying(one), INITIATED, REFUSED, INITIATED)
    assert one.progress is Progress.LACKING, "it is asked again what it has"
    assert failed == []
    run(scripts.verifying(one), enum(ImageStatus.VERIFICATION_FAILED))
    run(scripts.activating(one), enum(ImageStatus.ACTIVATION_FAILED))
    assert [why.split(":")[0] for why in failed] == ["verification", "activation"]
