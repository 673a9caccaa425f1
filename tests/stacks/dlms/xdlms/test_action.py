"""ACTION requests and responses on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.base.errors import DecodeError
from meterway.stacks.dlms.apdu import Apdu, decode_apdu
from meterway.stacks.dlms.xdlms.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
)

pytestmark = pytest.mark.covers("IF-I")

APDUS = st.one_of(
    st.builds(ActionRequestNormal, invoke=wire.invokes, method=wire.methods, parameters=wire.optional(wire.encoded)),
    st.builds(ActionRequestNextPblock, invoke=wire.invokes, block_number=wire.long_invokes),
    st.builds(
        ActionRequestWithList, invoke=wire.invokes, methods=wire.some(wire.methods), parameters=wire.some(wire.encoded)
    ),
    st.builds(ActionRequestWithFirstPblock, invoke=wire.invokes, method=wire.methods, block=wire.blocks),
    st.builds(
        ActionRequestWithListAndFirstPblock, invoke=wire.invokes, methods=wire.some(wire.methods), block=wire.blocks
    ),
    st.builds(ActionRequestWithPblock, invoke=wire.invokes, block=wire.blocks),
    st.builds(ActionResponseNormal, invoke=wire.invokes, outcome=wire.outcomes),
    st.builds(ActionResponseWithPblock, invoke=wire.invokes, block=wire.blocks),
    st.builds(ActionResponseWithList, invoke=wire.invokes, outcomes=wire.some(wire.outcomes)),
    st.builds(ActionResponseNextPblock, invoke=wire.invokes, block_number=wire.long_invokes),
)


@given(APDUS)
def test_an_action_apdu_comes_back(apdu: Apdu) -> None:
    wire.comes_back(apdu)


@given(APDUS)
def test_a_cut_action_apdu_is_refused(apdu: Apdu) -> None:
    wire.is_cut_refused(apdu.encode())


def test_a_presence_flag_that_is_neither_zero_nor_one_is_refused() -> None:
    with pytest.raises(DecodeError, match="presence flag"):
        decode_apdu(bytes.fromhex("c701c10002"))
    with pytest.raises(DecodeError, match="presence flag"):
        decode_apdu(bytes.fromhex("c301c100460000600300ff0102"))
