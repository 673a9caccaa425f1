"""An image in blocks: over as many sessions as it takes, with loss, from where it stopped, and never half."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.base.errors import LocalProtocolError
from meterway.stacks.mbus.image import ImageFunction, ImageSender, ImageState
from meterway.stacks.mbus.image_receiver import ImageReceiver

IMAGE = bytes(range(256)) * 4 + b"end"
NAME = b"GAS-2.0"


def genuine(image: bytes) -> bool:
    return image.endswith(b"end")


def session(sender: ImageSender, receiver: ImageReceiver, *, lossy: Random | None = None, share: float = 0.3) -> int:
    """Let both talk until the sender pauses; how many requests it took. A loss takes the request or the answer."""
    sender.open()
    receiver.open()
    count = 0
    while (request := sender.next_request()) is not None:
        count += 1
        assert count < 10_000
        if lossy is not None and lossy.random() < share / 2:
            sender.lost()
            continue
        answer = receiver.take(request.payload)
        assert (answer is not None) is request.answered
        if lossy is not None and lossy.random() < share / 2:
            sender.lost()
        elif answer is None:
            sender.acknowledged()
        else:
            sender.received(answer)
    return count


@pytest.mark.covers("F2b", "IF-M")
def test_an_image_goes_over_in_one_session_and_becomes_active() -> None:
    sender, receiver = ImageSender(IMAGE, NAME, block_size=100), ImageReceiver(genuine, active=b"1.0")
    assert sender.blocks == sender.missing == 11
    assert session(sender, receiver) == 11 + 6
    assert sender.result is not None
    assert (sender.result.done, sender.result.active, receiver.active) == (True, NAME, NAME)
    assert bytes(receiver.image) == IMAGE
    assert sender.missing == 0


@pytest.mark.covers("IF-M")
def test_the_octets_of_each_step() -> None:
    """The layout the module documents, octet by octet."""
    sender, receiver = ImageSender(b"abcend", b"X", block_size=4), ImageReceiver(genuine, active=b"1")
    steps = []
    sender.open()
    while (request := sender.next_request()) is not None:
        answer = receiver.take(request.payload)
        steps.append((request.payload.hex(), answer.hex() if answer is not None else None))
        if answer is None:
            sender.acknowledged()
        else:
            sender.received(answer)
    assert steps == [
        ("010600000004000158", "81000400"),
        ("040000", "8400000000"),
        ("0200000200", "82000200"),
        ("03000061626365", None),
        ("0301006e64", None),
        ("040000", "8400000003"),
        ("06", "8600030131"),
        ("07", "8700050158"),
    ]


@pytest.mark.covers("F2b")
def test_a_meter_on_a_battery_takes_a_few_blocks_in_each_session() -> None:
    sender, receiver = ImageSender(IMAGE, NAME, block_size=100), ImageReceiver(genuine, per_session=4)
    missing = []
    while sender.result is None:
        session(sender, receiver)
        missing.append(sender.missing)
    assert missing == [7, 3, 0]


def test_a_meter_that_takes_nothing_now_is_asked_again_in_the_next_session() -> None:
    sender, receiver = ImageSender(IMAGE, NAME), ImageReceiver(genuine, per_session=0)
    for _ in range(3):
        assert session(sender, receiver) <= 3
        assert (sender.result, sender.step) == (None, ImageFunction.TRANSFER)


@pytest.mark.covers("F2b")
@given(st.integers(0, 2**32), st.floats(0, 0.6))
@settings(max_examples=40, deadline=None)
def test_what_is_lost_is_sent_again_until_all_is_there(seed: int, share: float) -> None:
    lossy = Random(seed)
    sender, receiver = ImageSender(IMAGE, NAME, block_size=64), ImageReceiver(genuine, per_session=9)
    for _ in range(400):
        session(sender, receiver, lossy=lossy, share=share)
        if sender.result is not None:
            break
    assert sender.result is not None and sender.result.done
    assert bytes(receiver.image) == IMAGE


def test_a_block_that_only_seemed_to_arrive_is_found_missing() -> None:
    sender, receiver = ImageSender(IMAGE, NAME, block_size=100), ImageReceiver(genuine)
    sender.open()
    dropped = False
    while (request := sender.next_request()) is not None:
        if request.payload[:3] == b"\x03\x05\x00" and not dropped:
            dropped = True
            sender.acknowledged()
            continue
        answer = receiver.take(request.payload)
        if answer is None:
            sender.acknowledged()
        else:
            sender.received(answer)
    assert sender.result is not None and sender.result.done
    assert bytes(receiver.image) == IMAGE


@pytest.mark.covers("F2b")
def test_a_new_sender_goes_on_where_the_meter_is_and_a_new_meter_begins_anew() -> None:
    receiver = ImageReceiver(genuine, per_session=8)
    session(ImageSender(IMAGE, NAME, block_size=100), receiver)
    again = ImageSender(IMAGE, NAME, block_size=100)
    assert session(again, receiver) == 2 + 1 + 3 + 1 + 2
    assert again.result is not None and again.result.done
    half = ImageSender(IMAGE, NAME, block_size=100)
    session(half, ImageReceiver(genuine, per_session=8))
    restarted = ImageReceiver(genuine)
    session(half, restarted)
    assert half.result is not None and half.result.done
    assert restarted.active == NAME


@pytest.mark.covers("F2b")
def test_an_image_that_is_not_genuine_is_refused_and_the_old_one_runs_on() -> None:
    sender, receiver = ImageSender(IMAGE[:-1], NAME), ImageReceiver(genuine, active=b"1.0")
    session(sender, receiver)
    assert sender.result is not None
    assert (sender.result.done, sender.result.reason) == (False, "not genuine")
    assert (receiver.active, receiver.state) == (b"1.0", ImageState.REFUSED)
    good = ImageSender(IMAGE[:-1] + b"d", NAME)
    session(good, receiver)
    assert good.result is not None and good.result.done


def test_an_image_larger_than_the_meter_takes_is_refused() -> None:
    sender = ImageSender(IMAGE, NAME)
    session(sender, ImageReceiver(genuine, max_size=100))
    assert sender.result is not None
    assert sender.result.reason == "too large"


def test_an_abort_is_told_to_the_meter() -> None:
    sender, receiver = ImageSender(IMAGE, NAME, block_size=100), ImageReceiver(genuine, active=b"1.0", per_session=3)
    session(sender, receiver)
    sender.abort()
    assert session(sender, receiver) == 1
    assert sender.result is not None
    assert sender.result.reason == "aborted"
    assert (receiver.state, receiver.active, receiver.image) == (ImageState.IDLE, b"1.0", bytearray())


def test_a_meter_that_does_not_know_it_ends_the_transfer() -> None:
    sender = ImageSender(IMAGE, NAME)
    sender.open()
    assert sender.next_request() is not None
    sender.refused("unimplemented CI field")
    assert sender.result is not None
    assert not sender.result.done
    assert sender.next_request() is None


@pytest.mark.parametrize(
    ("image", "name", "size"), [(b"", NAME, 128), (IMAGE, b"", 128), (IMAGE, b"a b", 128), (IMAGE, NAME, 193)]
)
def test_what_cannot_be_sent_is_refused_at_once(image: bytes, name: bytes, size: int) -> None:
    with pytest.raises(LocalProtocolError):
        ImageSender(image, name, block_size=size)


@given(st.lists(st.binary(max_size=40), max_size=30))
def test_whatever_a_meter_answers_the_sender_neither_fails_nor_ends_well_by_it(answers: list[bytes]) -> None:
    sender = ImageSender(IMAGE, NAME)
    sender.open()
    for answer in answers:
        sender.received(answer)
    assert sender.result is None or not sender.result.done
