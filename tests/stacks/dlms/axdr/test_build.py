"""The constructors keep to the ranges of their types."""

from collections.abc import Callable

import pytest

from meterway.base.errors import LocalProtocolError
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data, Tag

pytestmark = pytest.mark.covers("IF-I")


@pytest.mark.parametrize(
    ("build", "low", "high"),
    [
        (axdr.i8, -(2**7), 2**7 - 1),
        (axdr.u8, 0, 2**8 - 1),
        (axdr.i16, -(2**15), 2**15 - 1),
        (axdr.u16, 0, 2**16 - 1),
        (axdr.i32, -(2**31), 2**31 - 1),
        (axdr.u32, 0, 2**32 - 1),
        (axdr.i64, -(2**63), 2**63 - 1),
        (axdr.u64, 0, 2**64 - 1),
        (axdr.enum, 0, 255),
    ],
)
def test_a_number_outside_its_range_is_refused(build: Callable[[int], Data], low: int, high: int) -> None:
    for value in (low, high):
        assert axdr.decode_all(axdr.encode(build(value))).value == value
    for value in (low - 1, high + 1):
        with pytest.raises(LocalProtocolError, match="outside"):
            build(value)


def test_a_float_too_large_for_four_octets_is_refused() -> None:
    assert axdr.decode_all(axdr.encode(axdr.float32(3.4028234e38))).value == pytest.approx(3.4028234e38)
    assert axdr.encode(axdr.float32(float("inf"))).hex() == "177f800000"
    with pytest.raises(LocalProtocolError):
        axdr.float32(3.5e38)


def test_texts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(LocalProtocolError):
        axdr.visible("\u0152")
    with pytest.raises(LocalProtocolError):
        axdr.bits("102")


def test_containers_hold_what_they_are_given() -> None:
    data = axdr.array(axdr.structure(axdr.null(), axdr.boolean(True)), axdr.structure())
    assert data == Data(Tag.ARRAY, (Data(2, (Data(0, None), Data(3, True))), Data(2, ())))
