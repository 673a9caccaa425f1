"""The object list and the rights it tells."""

from collections.abc import Callable
from typing import Any

import pytest

from meterway.meter.device import Meter
from meterway.meter.objects.model import model_of
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.xdlms.results import DataAccessResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]


@pytest.mark.covers("SEC-03", "UC-EV-03")
@pytest.mark.parametrize("client", [1, 3, 16])
def test_what_the_object_list_promises_is_what_the_meter_does(make: Make, talk: Talks, client: int) -> None:
    line = talk(make(), client)
    listed = line.get(15, "0-0:40.0.0*255")
    assert listed
    for entry in listed:
        for right in entry.access.attributes:
            answer = line.get(entry.class_id, str(entry.obis), right.attribute)
            assert (answer is DataAccessResult.READ_WRITE_DENIED) is not bool(right.mode & 1)


def test_the_list_has_every_object_once(make: Make, talk: Talks) -> None:
    listed = talk(make()).get(15, "0-0:40.0.0*255")
    assert [(entry.class_id, entry.obis) for entry in listed] == list(model_of("idis").objects)


def test_what_may_not_be_written_is_refused_to_everyone(make: Make, talk: Talks) -> None:
    line = talk(make())
    for entry in line.get(15, "0-0:40.0.0*255"):
        for right in entry.access.attributes:
            if not right.mode & 2:
                answer = line.set(entry.class_id, str(entry.obis), right.attribute, axdr.null())
                assert answer is DataAccessResult.READ_WRITE_DENIED
