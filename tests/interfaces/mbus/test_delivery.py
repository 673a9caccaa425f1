"""Firmware on its way to a meter: what is asked, what an answer moves on, and that an end is told once."""

from __future__ import annotations

import pytest

from meterway.interfaces.mbus.delivery import Delivery, digest
from meterway.stacks.dlms.classes.image_transfer import ImageStatus
from meterway.stacks.mbus.image import ImageFunction


def begun() -> Delivery:
    delivery = Delivery()
    delivery.transfer.initiate(b"V2", 300)
    delivery.transfer.transfer_block(0, bytes(300))
    delivery.transfer.activate(digest)
    delivery.begin()
    return delivery


@pytest.mark.covers("UC-IN-05")
def test_nothing_is_said_before_it_was_activated() -> None:
    delivery = Delivery()
    assert delivery.wake() is None
    assert delivery.acknowledged() is None
    assert delivery.answered(b"") is None
    assert delivery.finish() is None
    assert not delivery.is_under_way


@pytest.mark.covers("UC-IN-05")
def test_an_acknowledgement_settles_no_question_and_an_answer_no_block() -> None:
    delivery = begun()
    request = delivery.wake()
    assert request is not None
    assert request.payload[0] == ImageFunction.PREPARE
    assert delivery.acknowledged() is None
    following = delivery.answered(bytes((0x81, 0, 128, 0)))
    assert following is not None
    assert following.payload[0] == ImageFunction.COMPLETION


@pytest.mark.covers("UC-IN-05")
def test_a_refusal_is_told_once() -> None:
    delivery = begun()
    delivery.wake()
    delivery.refused("not known")
    assert not delivery.is_under_way
    assert delivery.finish() == (False, "V2: not known")
    assert delivery.finish() is None
    assert delivery.transfer.status is ImageStatus.ACTIVATION_FAILED
