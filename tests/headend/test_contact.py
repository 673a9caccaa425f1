"""Calling a device over sockets that do not behave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from headend.headends import device, fleet_of
from meterway.base.obis import Obis
from meterway.headend.contact import Caller, Outcome, Timing
from meterway.headend.fleet import Entry
from meterway.links import tcp
from meterway.stacks.dlms.client.script import Get, Script
from meterway.stacks.dlms.client.session import SessionFailed
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.store.database import Store

TIMING = Timing(connect_s=1.0, response_s=0.1, session_s=0.3)


class Peer(asyncio.Protocol):
    """Answers each piece with what ``answer`` says; None closes."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self.answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        said = self.answer(data)
        if said is None:
            self.transport.close()
        else:
            self.transport.write(said)


def clock(closed: list[bool]) -> Script[object]:
    try:
        return (yield Get(AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2)))
    finally:
        closed.append(True)


def call(store: Store, answer: Callable[[bytes], bytes | None], timing: Timing = TIMING) -> Outcome[object]:
    async def work() -> Outcome[object]:
        listener = await tcp.listen("127.0.0.1", 0, lambda: Peer(answer))
        store.devices.add(device("M1", host="127.0.0.1", port=listener.port), now_ms=1)
        fleet = fleet_of(store)
        fleet.prepare([fleet.of(1)])
        closed: list[bool] = []
        script = clock(closed)
        outcome = await Caller(fleet, timing).call(fleet.of(1), script)
        assert script.gi_frame is None  # type: ignore[attr-defined]
        listener.close()
        return outcome

    return asyncio.run(work())


@pytest.mark.covers("SEC-11")
@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (lambda _: b"", "timeout"),
        (lambda _: None, "link"),
        (lambda _: b"\x00\x01\x00\x01\x00\x01\x00\x04\x61\x02\x00\x00", "decode"),
        (lambda _: b"HTTP/1.1 400 Bad Request\r\n", "link"),
        (lambda sent: sent, "rejected"),
    ],
    ids=["silent", "closes", "nonsense", "a web server", "an echo"],
)
def test_each_way_a_peer_goes_wrong_has_its_cause(
    store: Store, answer: Callable[[bytes], bytes | None], cause: str
) -> None:
    outcome = call(store, answer)
    assert isinstance(outcome.report, SessionFailed)
    assert str(outcome.report.error)
    assert outcome.cause == cause
    assert outcome.report.octets > 0


def test_a_session_that_never_ends_is_ended(store: Store) -> None:
    outcome = call(store, lambda _: b"", Timing(connect_s=1.0, response_s=60.0, session_s=0.1))
    assert outcome.cause == "timeout"
    assert isinstance(outcome.report, SessionFailed)
    assert "did not end within 0.1 s" in str(outcome.report.error)


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"host": "127.0.0.1", "port": 1}, "link"),
        ({"host": "a\0b", "port": 1}, "config"),
        ({"host": "127.0.0.1", "port": 70_000}, "config"),
        ({"host": "127.0.0.1", "port": 1, "flags": {"mechanism": "x"}}, "config"),
        ({"host": "127.0.0.1", "port": 1, "keys": None}, "key"),
    ],
)
def test_what_cannot_even_be_called_has_a_cause_too(store: Store, given: dict[str, Any], cause: str) -> None:
    from dataclasses import replace

    async def work() -> Outcome[object]:
        store.devices.add(replace(device("M1"), **given), now_ms=1)
        fleet = fleet_of(store)
        fleet.prepare([fleet.of(1)])
        return await Caller(fleet, TIMING).call(fleet.of(1), clock([]))

    assert asyncio.run(work()).cause == cause


def test_one_association_at_a_time_with_each_device(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[int] = []
    most: list[int] = []

    async def session(self: Caller, entry: Entry, script: Any, **_: Any) -> SessionFailed:
        inside.append(entry.device.id)
        most.append(inside.count(entry.device.id))
        await asyncio.sleep(0)
        inside.remove(entry.device.id)
        script.close()
        return SessionFailed("link", LookupError(), (), 3)  # type: ignore[arg-type]

    monkeypatch.setattr(Caller, "_session", session)

    async def work() -> None:
        store.devices.add_many([device("M1"), device("M2")], now_ms=1)
        fleet = fleet_of(store)
        caller = Caller(fleet, TIMING)
        await asyncio.gather(*(caller.call(fleet.of(number), clock([])) for number in (1, 1, 2, 1, 2)))
        assert set(most) == {1}
        assert (caller.sessions["I"], caller.octets["I"]) == (5, 15)

    asyncio.run(work())
