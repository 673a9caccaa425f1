"""Settings that cannot work are refused."""

import pytest

from meterway.base.errors import ConfigError
from meterway.stacks.neighbourhood.sfsk.settings import MAX_APDU, SfskSettings


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"initiator": 0xE00}, "initiator"),
        ({"initiator": 1}, "initiator"),
        ({"initial_credit": 8}, "initial_credit"),
        ({"frame_lifetime_s": 5.0}, "frame_lifetime_s"),
        ({"ping_interval_s": 20000.0}, "not_addressed_s"),
    ],
)
def test_what_cannot_work_is_refused(wrong, name):
    with pytest.raises(ConfigError, match=name):
        SfskSettings(**wrong)


def test_memories_cover_every_copy():
    told = SfskSettings()
    assert told.question_memory_s == 3 * 10 + 2 * 3
    assert told.answer_memory_s == 6
    assert MAX_APDU == 239
