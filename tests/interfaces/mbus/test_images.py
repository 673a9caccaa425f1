"""Blocks that were acknowledged are there after a power cut, and those of another image are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_town import NOON, RadioMeter, ledger
from meterway.interfaces.mbus.delivery import digest
from meterway.stacks.dlms.classes.image_transfer import ImageTransfer


def transfer() -> ImageTransfer:
    return ImageTransfer(enabled=True, block_size=4)


@pytest.mark.covers("UC-IN-05", "E-LNAP")
def test_a_transfer_is_restored_with_its_blocks_and_without_those_of_the_one_before(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    old, new = transfer(), transfer()
    old.initiate(b"V1", 12)
    book.images.keep(0, old)
    for number in range(3):
        book.images.keep_block(0, number, b"old.")
    new.initiate(b"V2", 12)
    book.images.keep(0, new)
    book.images.keep_block(0, 1, b"new.")
    book.spool.close()
    again = ledger(tmp_path)
    found = again.images.restore(0, transfer())
    assert (found.identifier, found.blocks_status, bytes(found.image)) == (b"V2", "010", b"\0\0\0\0new.\0\0\0\0")
    again.images.drop(0)
    assert again.images.restore(0, transfer()).identifier == b""
    again.spool.close()


@pytest.mark.covers("UC-IN-05")
def test_an_end_is_told_once_and_a_meter_that_leaves_takes_its_image_along(tmp_path: Path) -> None:
    book = ledger(tmp_path, RadioMeter().bound())
    meter, delivery = book.gateway.channel(1), book.gateway.delivery(1)
    delivery.transfer.initiate(b"V2", 4)
    book.images.keep(1, delivery.transfer)
    delivery.transfer.transfer_block(0, b"abcd")
    book.images.keep_block(1, 0, b"abcd")
    delivery.transfer.activate(digest)
    book.images.begin_delivery(1)
    delivery.wake()
    assert not book.images.settle(meter, NOON)
    delivery.refused("no room")
    assert book.images.settle(meter, NOON)
    assert not book.images.settle(meter, NOON)
    assert not book.spool.states("image:")
    book.images.keep(1, delivery.transfer)
    book.drop_meter(1)
    assert not book.spool.states("image:")
    book.spool.close()
