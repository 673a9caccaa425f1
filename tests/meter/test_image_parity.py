"""A meter works out blocks that did not come, and class 18 tells of them as of any others."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.erasure import parity
from meterway.mapping.image_parity import ParitySymbol, groups
from meterway.meter.image_parity import ImageParity
from meterway.stacks.dlms.classes.image_transfer import ImageTransfer
from meterway.stacks.dlms.xdlms.results import ActionResult

pytestmark = pytest.mark.covers("E-NNAP-6", "E-ADD")
SIZE = 16


def transfer(length, seed=1):
    image = Random(seed).randbytes(length)
    meter = ImageTransfer(enabled=True, block_size=SIZE)
    assert meter.initiate(b"NEW", length) is ActionResult.SUCCESS
    return image, meter, ImageParity(meter)


def block(image, number):
    return image[number * SIZE : (number + 1) * SIZE]


def symbol(image, group, number):
    blocks = [block(image, one).ljust(SIZE, b"\0") for one in group]
    return ParitySymbol(first=group.start, count=len(group), number=number, value=parity(blocks, number))


def test_symbols_take_the_place_of_blocks_and_the_status_is_true():
    image, meter, parities = transfer(SIZE * 200 - 5)
    lost = {0, 77, 127, 199}
    for number in range(200):
        if number not in lost:
            meter.transfer_block(number, block(image, number))
    assert parities.wanting() == bytes((3, 1))
    assert meter.first_not_transferred == 0
    first, second = groups(200)
    for number in (5, 5, 120):
        assert parities.take(symbol(image, first, number))
    assert parities.wanting() == bytes((1, 1)), "the same symbol counts once"
    assert meter.missing_blocks() == (0, 77, 127, 199), "no block is told of before it is there"
    assert parities.take(symbol(image, first, 3))
    assert meter.missing_blocks() == (199,)
    assert parities.take(symbol(image, second, 0)), "the last block is shorter"
    assert bytes(meter.image) == image
    assert meter.complete
    assert meter.first_not_transferred == 200
    assert parities.wanting() == bytes(2)
    assert meter.verify(lambda whole: b"ok" if whole == image else None) is ActionResult.SUCCESS


def test_a_block_that_comes_late_may_heal_the_others():
    image, meter, parities = transfer(SIZE * 10)
    for number in range(4, 10):
        meter.transfer_block(number, block(image, number))
    for number in range(3):
        parities.take(symbol(image, range(10), number))
    assert parities.wanting() == b"\x01"
    meter.transfer_block(2, block(image, 2))
    parities.heard(2)
    assert bytes(meter.image) == image
    assert meter.complete


def test_a_symbol_of_another_image_or_outside_of_a_transfer_changes_nothing():
    image, meter, parities = transfer(SIZE * 10)
    good = symbol(image, range(10), 0)
    wrong = [
        ParitySymbol(first=1, count=9, number=0, value=good.value),
        ParitySymbol(first=0, count=9, number=0, value=good.value),
        ParitySymbol(first=128, count=10, number=0, value=good.value),
        ParitySymbol(first=0xFFFFFFFF, count=1, number=0, value=good.value),
        ParitySymbol(first=0, count=10, number=0, value=good.value[:-1]),
    ]
    assert [parities.take(one) for one in wrong] == [False] * 5
    assert parities.wanting() == b"\x0a"
    idle = ImageTransfer(enabled=True)
    assert not ImageParity(idle).take(good)
    assert ImageParity(idle).wanting() == b""
    assert meter.missing_blocks() == tuple(range(10))


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=40))
def test_in_any_order_what_is_told_is_there_and_enough_is_enough(heard):
    image, meter, parities = transfer(SIZE * 10 - 3)
    blocks, symbols = set(), set()
    for number, is_symbol in heard:
        if is_symbol:
            parities.take(symbol(image, range(10), number))
            symbols.add(number)
        else:
            meter.transfer_block(number, block(image, number))
            parities.heard(number)
            blocks.add(number)
        for one in range(10):
            assert not meter.received[one] or bytes(meter.image[one * SIZE : (one + 1) * SIZE]) == block(image, one)
    if len(blocks) + len(symbols) >= 10:
        assert meter.complete == (not parities.wanting()[0])
    assert meter.complete or parities.wanting()[0] > 0
