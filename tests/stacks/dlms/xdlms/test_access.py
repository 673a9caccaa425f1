"""The ACCESS service on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.base.errors import DecodeError
from meterway.stacks.dlms.apdu import Apdu, decode_apdu
from meterway.stacks.dlms.xdlms.access import AccessItem, AccessRequest, AccessResponse

pytestmark = pytest.mark.covers("IF-I")

ITEMS = st.builds(AccessItem, st.integers(1, 3), wire.attributes, st.none()) | st.builds(
    AccessItem, st.integers(4, 5), wire.attributes, wire.selections
)
APDUS = st.builds(
    AccessRequest,
    invoke=wire.long_invokes,
    date_time=wire.moments,
    items=wire.some(ITEMS),
    data=wire.some(wire.encoded),
) | st.builds(
    AccessResponse,
    invoke=wire.long_invokes,
    date_time=wire.moments,
    request=wire.optional(wire.some(ITEMS)),
    data=wire.some(wire.encoded),
    results=wire.some(st.tuples(wire.invokes, wire.invokes)),
)


@given(APDUS)
def test_an_access_apdu_comes_back(apdu: Apdu) -> None:
    wire.comes_back(apdu)


@given(APDUS)
def test_a_cut_access_apdu_is_refused(apdu: Apdu) -> None:
    wire.is_cut_refused(apdu.encode())


@pytest.mark.parametrize("kind", [0, 6, 255])
def test_an_access_of_an_unknown_kind_is_refused(kind: int) -> None:
    with pytest.raises(DecodeError, match="one of 1 to 5"):
        decode_apdu(bytes.fromhex("d9400000000001") + bytes((kind,)) + bytes(20))
