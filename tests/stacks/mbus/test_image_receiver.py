"""The meter's side of an image transfer: what it takes, what it refuses, and that octets cannot break it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.mbus.image import ImageFunction, ImageState, ImageStatus
from meterway.stacks.mbus.image_receiver import ImageReceiver

PREPARE = bytes.fromhex("01 0A000000 0400 01 58")


def prepared() -> ImageReceiver:
    receiver = ImageReceiver(lambda image: image == b"0123456789", active=b"old")
    assert receiver.take(PREPARE) == bytes.fromhex("81 00 0400")
    return receiver


@pytest.mark.parametrize(
    ("block", "bits"),
    [("0000 30313233", 1), ("0100 34353637", 2), ("0200 3839", 4), ("0200 383900", 0), ("0300 30", 0), ("0000 30", 0)],
)
def test_only_a_block_of_the_right_size_at_a_place_that_exists_is_taken(block: str, bits: int) -> None:
    receiver = prepared()
    assert receiver.take(b"\x03" + bytes.fromhex(block)) is None
    assert receiver.take(bytes.fromhex("04 0000")) == bytes.fromhex("84 00 0000") + bytes((bits,))


@pytest.mark.parametrize("function", [ImageFunction.SYNCHRONISE, ImageFunction.COMPLETION, ImageFunction.ACTIVATE])
def test_nothing_goes_before_the_announcement(function: ImageFunction) -> None:
    answer = ImageReceiver(lambda _: True).take(bytes((function,)) + bytes(4))
    assert answer is not None
    assert answer[:2] == bytes((function | 0x80, ImageStatus.NOT_PREPARED))


def test_an_incomplete_image_is_neither_validated_nor_activated() -> None:
    receiver = prepared()
    for function in (6, 7):
        answer = receiver.take(bytes((function,)))
        assert answer is not None
        assert answer[1] == ImageStatus.INCOMPLETE
    assert receiver.active == b"old"


def test_an_active_image_is_not_written_to_any_more() -> None:
    receiver = prepared()
    for block in ("0000 30313233", "0100 34353637", "0200 3839"):
        receiver.take(b"\x03" + bytes.fromhex(block))
    assert receiver.take(b"\x07") == bytes.fromhex("87 00 05 01 58")
    receiver.take(bytes.fromhex("03 0000 39393939"))
    assert bytes(receiver.image) == b"0123456789"
    assert receiver.take(b"\x05") == bytes.fromhex("85 00 05 01 58")


@given(st.lists(st.binary(max_size=24), max_size=40))
def test_any_octets_are_answered_and_nothing_becomes_active_that_is_not_genuine(requests: list[bytes]) -> None:
    receiver = ImageReceiver(lambda _: False, active=b"old", max_size=4096)
    for request in [PREPARE, *requests]:
        answer = receiver.take(request)
        if answer is not None:
            assert answer[0] & 0x80
            ImageStatus(answer[1])
        assert receiver.active == b"old"
        assert receiver.state in tuple(ImageState)
