"""Values as JSON knows them."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest

from meterway.base.obis import Obis
from meterway.headend.plain import plain
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.elements import ScalerUnit
from meterway.stacks.dlms.xdlms.results import DataAccessResult


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (float("nan"), "nan"),
        (Decimal("1.50"), 1.5),
        (b"MWY1", "MWY1"),
        (b"\x00\xff", "00ff"),
        (b"", ""),
        (Obis(1, 0, 1, 8, 0), "1-0:1.8.0*255"),
        (date(2026, 3, 1), "2026-03-01"),
        ((1, b"a"), [1, "a"]),
        ({1: b"\x01"}, {"1": "01"}),
        (DataAccessResult.READ_WRITE_DENIED, "read-write-denied"),
        (ScalerUnit(scaler=-2, unit=30), {"scaler": -2, "unit": 30}),
        (axdr.structure(axdr.u8(1), axdr.octets(b"x")), [1, "x"]),
    ],
)
def test_every_kind_of_value_has_a_plain_form(value: object, shown: object) -> None:
    assert plain(value) == shown
    msgspec.json.encode(plain(value))


def test_a_moment_is_told_in_utc_and_an_open_one_as_octets() -> None:
    known = CosemDateTime.decode(bytes.fromhex("07ea030b030c0f1e00ffc400"))
    assert plain(known) == "2026-03-11T11:15:30Z"
    unset = bytes.fromhex("ffffffffffffffffff8000ff")
    assert plain(CosemDateTime.decode(unset)) == unset.hex()
