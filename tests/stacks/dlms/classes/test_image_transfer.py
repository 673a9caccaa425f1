"""A firmware image comes in blocks, in any order, and is activated only when it is genuine."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.dlms.classes.image_transfer import ImageStatus, ImageTransfer
from meterway.stacks.dlms.xdlms.results import ActionResult

IMAGE = bytes(range(256)) * 2 + b"tail"


def genuine(image: bytes) -> bytes | None:
    return b"signature" if image == IMAGE else None


def started() -> ImageTransfer:
    transfer = ImageTransfer(block_size=100, enabled=True)
    assert transfer.initiate(b"fw-2", len(IMAGE)) == ActionResult.SUCCESS
    return transfer


def blocks() -> list[tuple[int, bytes]]:
    return [(number, IMAGE[number * 100 : number * 100 + 100]) for number in range(6)]


@pytest.mark.covers("UC-IN-05", "F2b")
@given(st.permutations(blocks()))
def test_blocks_in_any_order_make_the_image(order):
    transfer = started()
    for number, value in order:
        assert transfer.transfer_block(number, value) == ActionResult.SUCCESS
    assert transfer.complete
    assert transfer.blocks_status == "111111"
    assert transfer.verify(genuine) == ActionResult.SUCCESS
    assert transfer.to_activate[0].signature == b"signature"
    assert transfer.activate(genuine) == ActionResult.TEMPORARY_FAILURE
    transfer.finish_activation(successful=True)
    assert transfer.status == ImageStatus.ACTIVATION_SUCCESSFUL


def test_an_interrupted_transfer_goes_on_with_the_missing_blocks():
    transfer = started()
    for number, value in blocks():
        if number not in (1, 4):
            transfer.transfer_block(number, value)
    again = copy.deepcopy(transfer)
    assert (again.first_not_transferred, again.missing_blocks(), again.blocks_status) == (1, (1, 4), "101101")
    for number in again.missing_blocks():
        again.transfer_block(*blocks()[number])
    assert again.first_not_transferred == 6
    assert again.verify(genuine) == ActionResult.SUCCESS


def test_nothing_goes_while_transfers_are_not_enabled():
    transfer = ImageTransfer()
    assert transfer.initiate(b"fw", 10) == ActionResult.OTHER_REASON
    assert transfer.transfer_block(0, b"x" * 10) == ActionResult.OTHER_REASON
    assert transfer.status == ImageStatus.NOT_INITIATED


@pytest.mark.parametrize(("number", "size"), [(6, 100), (-1, 100), (0, 99), (0, 101), (5, 100), (5, 11)])
def test_a_block_beyond_the_image_or_of_another_size_is_refused(number, size):
    transfer = started()
    assert transfer.transfer_block(number, bytes(size)) == ActionResult.OTHER_REASON
    assert transfer.blocks_status == "000000"


def test_an_incomplete_image_is_not_verified_and_not_activated():
    transfer = started()
    transfer.transfer_block(*blocks()[0])
    assert transfer.verify(genuine) == ActionResult.OTHER_REASON
    assert transfer.activate(genuine) == ActionResult.OTHER_REASON
    assert transfer.status == ImageStatus.INITIATED


@pytest.mark.covers("UC-IN-05")
def test_a_false_image_is_never_activated():
    transfer = started()
    for number, value in blocks():
        transfer.transfer_block(number, bytes(len(value)))
    assert transfer.activate(genuine) == ActionResult.OTHER_REASON
    assert transfer.status == ImageStatus.VERIFICATION_FAILED
    assert transfer.to_activate == ()


def test_a_new_initiation_forgets_the_old_image():
    transfer = started()
    transfer.transfer_block(*blocks()[0])
    transfer.initiate(b"fw-3", 50)
    assert (transfer.identifier, transfer.blocks_status) == (b"fw-3", "0")
    assert transfer.initiate(b"fw-4", 0) == ActionResult.OTHER_REASON
    assert transfer.initiate(b"fw-4", 10**9) == ActionResult.OTHER_REASON
