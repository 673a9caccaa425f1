"""SET requests and responses on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.stacks.dlms.apdu import Apdu, decode_apdu
from meterway.stacks.dlms.xdlms.results import DataAccessResult
from meterway.stacks.dlms.xdlms.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
    SetResponseNormal,
    SetResponseWithList,
)

pytestmark = pytest.mark.covers("IF-I")

SELECTION = wire.optional(wire.selections)
APDUS = st.one_of(
    st.builds(
        SetRequestNormal, invoke=wire.invokes, attribute=wire.attributes, selection=SELECTION, value=wire.encoded
    ),
    st.builds(
        SetRequestWithFirstDatablock,
        invoke=wire.invokes,
        attribute=wire.attributes,
        selection=SELECTION,
        block=wire.blocks,
    ),
    st.builds(SetRequestWithDatablock, invoke=wire.invokes, block=wire.blocks),
    st.builds(SetRequestWithList, invoke=wire.invokes, items=wire.some(wire.items), values=wire.some(wire.encoded)),
    st.builds(SetRequestWithListAndFirstDatablock, invoke=wire.invokes, items=wire.some(wire.items), block=wire.blocks),
    st.builds(SetResponseNormal, invoke=wire.invokes, result=wire.results),
    st.builds(SetResponseDatablock, invoke=wire.invokes, block_number=wire.long_invokes),
    st.builds(SetResponseLastDatablock, invoke=wire.invokes, result=wire.results, block_number=wire.long_invokes),
    st.builds(
        SetResponseLastDatablockWithList,
        invoke=wire.invokes,
        results=wire.some(wire.results),
        block_number=wire.long_invokes,
    ),
    st.builds(SetResponseWithList, invoke=wire.invokes, results=wire.some(wire.results)),
)


@given(APDUS)
def test_a_set_apdu_comes_back(apdu: Apdu) -> None:
    wire.comes_back(apdu)


@given(APDUS)
def test_a_cut_set_apdu_is_refused(apdu: Apdu) -> None:
    wire.is_cut_refused(apdu.encode())


def test_a_refusal_is_read_with_the_word_of_the_norm() -> None:
    apdu = decode_apdu(bytes.fromhex("c501c103"))
    assert apdu == SetResponseNormal(invoke=0xC1, result=DataAccessResult.READ_WRITE_DENIED)
    assert isinstance(apdu, SetResponseNormal)
    assert apdu.result.word == "read-write-denied"
