"""Firmware in blocks."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from meterway.meter.device import Meter
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.image_transfer import ImageStatus
from meterway.stacks.dlms.xdlms.results import ActionResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]
IMAGE = "0-0:44.0.0*255"


@pytest.mark.covers("UC-IN-05", "SEC-08")
@pytest.mark.parametrize("genuine", [True, False])
def test_firmware_is_taken_in_blocks_and_started_only_if_its_digest_is_right(
    make: Make, talk: Talks, genuine: bool
) -> None:
    line = talk(make())
    body = bytes(range(250))
    image = body + (hashlib.sha256(body).digest() if genuine else bytes(32))
    started = axdr.structure(axdr.octets(b"MWY-2.0.0"), axdr.u32(len(image)))
    assert line.act(18, IMAGE, 1, started) is ActionResult.SUCCESS
    size = line.get(18, IMAGE, 2)
    blocks = [image[start : start + size] for start in range(0, len(image), size)]
    for number, block in reversed(list(enumerate(blocks))):
        assert line.act(18, IMAGE, 2, axdr.structure(axdr.u32(number), axdr.octets(block))) is ActionResult.SUCCESS
    assert line.get(18, IMAGE, 3) == "1" * len(blocks)
    verified = line.act(18, IMAGE, 3)
    activated = line.act(18, IMAGE, 4)
    if genuine:
        assert (verified, activated) == (ActionResult.SUCCESS, ActionResult.SUCCESS)
        assert line.get(18, IMAGE, 6) is ImageStatus.ACTIVATION_SUCCESSFUL
        assert line.get(1, "1-0:0.2.0*255") == b"MWY-2.0.0"
    else:
        assert verified is not ActionResult.SUCCESS
        assert line.get(1, "1-0:0.2.0*255") == b"MWY-1.0.0"
