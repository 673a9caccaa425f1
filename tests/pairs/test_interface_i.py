"""Interface I: a head end's client and a meter's server, joined in memory over the wrapper and over HDLC."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_device as device
from meterway.links.memory import MemoryLine, SimulatedFaults
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client import ActionDone, Associated, Failed, GetDone, GetListDone, Quirk, Released, SetDone
from meterway.stacks.dlms.security.counter import SendCounter
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

pytestmark = pytest.mark.covers("IF-I", "F1a")

CLIENTS = sorted(device.MECHANISM)
LINKS = pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])


@LINKS
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.covers("SEC-03", "SEC-04", "UC-BI-01")
def test_a_meter_is_read_written_and_released(client: int, hdlc: bool) -> None:
    pair = device.Pair(client, hdlc=hdlc)
    associated = pair.open()
    assert isinstance(associated, Associated)
    assert associated.server_title == (device.SERVER_TITLE if device.MECHANISM[client] > 1 else b"")
    assert pair.get(device.CLOCK) == GetDone(1, pair.device.values[device.CLOCK])
    load = pair.get(device.LOAD)
    assert isinstance(load, GetDone)
    assert load.result == device.profile()
    assert pair.get(device.NOTHING) == GetDone(3, DataAccessResult.OBJECT_UNDEFINED)
    text = axdr.encode(axdr.visible("hello"))
    assert pair.set((device.TEXT, text)) == SetDone(4, (DataAccessResult.SUCCESS,))
    assert pair.get(device.TEXT) == GetDone(5, text)
    called = pair.act(device.RESET)
    assert isinstance(called, ActionDone)
    assert called.outcome.result is ActionResult.SUCCESS
    listed = pair.get_list(device.ENERGY, device.NOTHING, device.LOAD)
    assert isinstance(listed, GetListDone)
    assert listed.results[1:] == (DataAccessResult.OBJECT_UNDEFINED, device.profile())
    assert pair.set((device.TEXT, text), (device.LOCKED, text)) == SetDone(
        8, (DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED)
    )
    assert pair.release() == Released()
    assert pair.device.kinds == ["associated", "released"]


@LINKS
@pytest.mark.parametrize("max_pdu", [64, 128, 500])
@pytest.mark.parametrize("general", [False, True], ids=["service", "general"])
def test_everything_long_goes_in_blocks_in_both_directions(hdlc: bool, max_pdu: int, general: bool) -> None:
    pair = device.Pair(
        device.SECURE, hdlc=hdlc, device=device.Device(max_pdu=max_pdu, rows=20), max_pdu=max_pdu, is_general=general
    )
    pair.open()
    load = pair.get(device.LOAD)
    assert isinstance(load, GetDone)
    assert load.result == device.profile(20)
    assert load.blocks > 1
    listed = pair.get_list(device.LOAD, device.UNIT)
    assert listed.results == (device.profile(20), pair.device.values[device.UNIT])
    value = axdr.encode(axdr.octets(bytes(range(256)) * 3))
    assert pair.set((device.TEXT, value)).results == (DataAccessResult.SUCCESS,)
    assert pair.set((device.TEXT, value), (device.LOCKED, value)).results[1] is DataAccessResult.READ_WRITE_DENIED
    assert pair.device.values[device.TEXT] == value
    called = pair.act(device.ECHO, value)
    assert called.outcome == (ActionResult.SUCCESS, value)
    assert pair.release() == Released()


@LINKS
@pytest.mark.covers("SEC-07")
def test_a_dedicated_key_protects_one_association(hdlc: bool) -> None:
    pair = device.Pair(device.SECURE, hdlc=hdlc, dedicated_key=bytes(range(50, 66)))
    pair.open()
    assert pair.get(device.LOAD).result == device.profile()
    assert pair.device.send_counter.next == 2, "only the initiate response and the proof used the global key"
    assert pair.release() == Released()


@LINKS
def test_a_line_serves_one_association_after_the_other(hdlc: bool) -> None:
    one = device.Device()
    counter = SendCounter()
    for _ in range(3):
        pair = device.Pair(device.SECURE, hdlc=hdlc, device=one, send_counter=counter)
        assert isinstance(pair.open(), Associated)
        assert pair.get(device.ENERGY).result == one.values[device.ENERGY]
        assert pair.release() == Released()
    assert one.kinds == ["associated", "released"] * 3


@LINKS
@pytest.mark.covers("SEC-05")
def test_a_client_whose_counter_fell_is_rejected(hdlc: bool) -> None:
    one = device.Device()
    pair = device.Pair(device.SECURE, hdlc=hdlc, device=one)
    pair.open()
    pair.release()
    again = device.Pair(device.SECURE, hdlc=hdlc, device=one)
    again.open()
    assert [event.cause for event in again.events if isinstance(event, Failed)] == ["authentication"]
    assert "counter" in one.kinds


def _faulty(pair: device.Pair, **faults: Any) -> None:
    pair.line = MemoryLine(pair.client, pair.server, faults=SimulatedFaults(**faults))


@pytest.mark.parametrize("seed", range(6))
def test_a_bad_hdlc_line_is_survived_or_told(seed: int) -> None:
    pair = device.Pair(device.SECURE, hdlc=True, response_timeout_s=120.0)
    _faulty(pair, seed=seed, lost=0.03, repeated=0.03, octet_damaged=0.0005, delay_s=0.05)
    pair.client.open(0.0)
    for _ in range(3):
        pair.client.get(device.LOAD, now=pair.line.now)
    pair.client.release(pair.line.now)
    pair.line.run(600.0)
    results = [event.result for event in pair.events if isinstance(event, GetDone)]
    assert all(result == device.profile() for result in results)
    assert isinstance(pair.events[-1], Released | Failed | Quirk)
    assert len(results) == 3 or any(isinstance(event, Failed) for event in pair.events)


@pytest.mark.covers("SEC-11", "SEC-04")
@given(st.integers(0, 2**32), st.sampled_from([device.PUBLIC, device.HLS6, device.SECURE]))
def test_a_line_that_alters_octets_never_alters_a_value(seed: int, client: int) -> None:
    pair = device.Pair(client, response_timeout_s=5.0)
    _faulty(pair, seed=seed, octet_damaged=0.002, delay_s=0.01)
    pair.client.open(0.0)
    pair.client.get(device.LOAD, now=0.0)
    pair.client.release(0.0)
    pair.line.run(60.0)
    assert pair.client.next_timeout() is None
    if client == device.SECURE:
        results = [event.result for event in pair.events if isinstance(event, GetDone)]
        assert results in ([], [device.profile()])
