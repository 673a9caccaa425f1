"""The conformance block."""

from __future__ import annotations

import pytest

from meterway.stacks.dlms.xdlms.conformance import Conformance

pytestmark = pytest.mark.covers("IF-I")


# The bits as IEC 62056-5-3 numbers them, 0 the most significant of 24.
@pytest.mark.parametrize(
    ("bit", "flag"),
    [
        (1, Conformance.GENERAL_PROTECTION),
        (2, Conformance.GENERAL_BLOCK_TRANSFER),
        (8, Conformance.ATTRIBUTE_0_WITH_SET),
        (10, Conformance.ATTRIBUTE_0_WITH_GET),
        (11, Conformance.BLOCK_TRANSFER_WITH_GET),
        (12, Conformance.BLOCK_TRANSFER_WITH_SET),
        (13, Conformance.BLOCK_TRANSFER_WITH_ACTION),
        (14, Conformance.MULTIPLE_REFERENCES),
        (16, Conformance.DATA_NOTIFICATION),
        (17, Conformance.ACCESS),
        (19, Conformance.GET),
        (20, Conformance.SET),
        (21, Conformance.SELECTIVE_ACCESS),
        (22, Conformance.EVENT_NOTIFICATION),
        (23, Conformance.ACTION),
    ],
)
def test_each_service_has_the_bit_of_the_norm(bit: int, flag: Conformance) -> None:
    assert flag == 1 << 23 - bit


def test_services_are_named_in_the_order_of_the_norm() -> None:
    assert Conformance(0x00001D).names == ["get", "set", "selective-access", "action"]
    assert Conformance.NONE.names == []
