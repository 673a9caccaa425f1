"""Push setups say what is pushed and how retries wait."""

from __future__ import annotations

from meterway.base.obis import Obis
from meterway.stacks.dlms.classes import CaptureObject, typed, untyped
from meterway.stacks.dlms.classes.push_setup import PushObject, RepetitionDelay, Restriction


def test_a_repetition_delay_grows_to_its_maximum():
    delay = RepetitionDelay(minimum=10, exponent=200, maximum=60)
    assert [delay.delay_s(retry) for retry in (1, 2, 3, 4)] == [10, 20, 40, 60]


def test_objects_with_and_without_a_restriction_are_taken_in_version_2():
    plain = CaptureObject(class_id=3, obis=Obis(1, 0, 1, 8, 0), attribute=2)
    limited = PushObject(
        class_id=7,
        obis=Obis(1, 0, 99, 1, 0),
        attribute=2,
        data_index=0,
        restriction=Restriction(type=0, value=None),
        columns=(plain,),
    )
    data = untyped(40, "push_object_list", (plain, limited), 2)
    assert typed(40, "push_object_list", data, 2) == (plain, limited)
