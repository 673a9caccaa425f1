"""How a load controller stands, from its own octets to what is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.headend.load_state import LoadState, RelayState, keep_load, kept_load, load_state
from meterway.mapping.home import LoadOrder
from meterway.stacks.dlms import axdr
from meterway.store.database import Store

pytestmark = pytest.mark.covers("IF-H3", "F5c", "E-HES-1")

ROW = axdr.structure(axdr.u8(2), axdr.boolean(value=False), axdr.enum(2), axdr.u32(0))
ORDER = LoadOrder(ident=9, relays=3, duration_s=900, offset_s=60, emergency=True)


def told(order: axdr.Data | None = None, row: axdr.Data = ROW) -> list[bytes]:
    values = (axdr.array(row), order or axdr.null(), axdr.octets(b"PEAK"), axdr.boolean(value=True))
    return [axdr.encode(value) for value in values]


def test_relays_causes_order_and_consent_are_read() -> None:
    state = load_state(told(ORDER.encode()), 1_790_000_000.0)
    assert state.relays == [RelayState(relay=2, on=False, cause="override", power_w=0)]
    assert (state.programme, state.consent, state.power_w) == ("PEAK", True, 0)
    assert state.order == "9: relays 1, 2 off, for 900 s, after up to 60 s, emergency"
    assert state.time == "2026-09-21T14:13:20Z"
    assert load_state(told(), 0.0).order == ""
    assert load_state(told(LoadOrder(ident=1, on=True).encode()), 0.0).order == "1: all relays on"


@pytest.mark.parametrize(
    "octets",
    [
        told()[:3],
        told(row=axdr.structure(axdr.u8(2), axdr.boolean(value=False), axdr.enum(9), axdr.u32(0))),
        told(row=axdr.u8(1)),
        told(axdr.u8(1)),
        [b"\x01", *told()[1:]],
    ],
    ids=["too few", "an unknown cause", "no relay", "no order", "cut off"],
)
def test_anything_else_is_refused(octets: list[bytes]) -> None:
    with pytest.raises(DecodeError):
        load_state(octets, 0.0)


@given(st.lists(st.binary(max_size=40), min_size=4, max_size=4))
def test_whatever_a_device_says_it_is_read_or_refused(octets: list[bytes]) -> None:
    try:
        load_state(octets, 0.0)
    except DecodeError:
        return


def test_what_was_told_last_is_kept(store: Store) -> None:
    assert kept_load(store, 7) is None
    state = LoadState(time_s=5.0, relays=[RelayState(relay=1, on=True, cause="nothing", power_w=2000)], consent=True)
    keep_load(store, 7, state)
    assert kept_load(store, 7) == state
