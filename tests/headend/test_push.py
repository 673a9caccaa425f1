"""Pushes: opened, named, stored once, refused with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headend.headends import KEYS, LAYOUT, NOW, device, fleet_of, moment
from meterway.base.errors import ConfigError, DecodeError, MeterwayError, SecurityError, StoreError
from meterway.base.obis import Obis
from meterway.headend.fleet import Entry, Fleet
from meterway.headend.layout import DeviceLayout
from meterway.headend.live import Live
from meterway.headend.push import PushListener, read_push
from meterway.links import tcp
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.security.context import Keys, SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.wrapper import WrapperFrame
from meterway.stacks.dlms.xdlms.notification import DataNotification
from meterway.store.database import Store

METER = b"MWY\x00\x00\x00\x00\x07"
SETUP = Obis(0, 4, 25, 9, 0)
ALARMS = Obis(0, 0, 97, 98, 0)
ENERGY = Obis(1, 0, 1, 8, 0)
PUSHES = {
    str(SETUP): ((40, str(SETUP), 1), (1, "0-0:42.0.0*255", 2), (1, str(ALARMS), 2), (3, str(ENERGY), 2)),
}


def notification(alarm: int = 0x10000, at: float = NOW) -> bytes:
    body = axdr.structure(axdr.octets(SETUP.encode()), axdr.octets(b"MWYM1"), axdr.u32(alarm), axdr.u32(4711))
    stamp = moment(at).value
    assert isinstance(stamp, bytes)
    return DataNotification(invoke=1, date_time=stamp, body=axdr.encode(body)).encode()


def sealed(
    plain: bytes, *, counter: int = 5, title: bytes = METER, key: bytes = KEYS["guek"], control: int = 0x30
) -> bytes:
    context = SecurityContext(
        keys=Keys(key, KEYS["gak"]),
        own_title=title,
        peer_title=b"",
        send_counter=SendCounter(counter),
        received=ReceivedCounter(),
        control=control,
    )
    return context.protect_general(plain)


@pytest.fixture
def fleet(store: Store) -> Fleet:
    store.devices.add(device("M1", system_title=METER), now_ms=1)
    fleet = fleet_of(store)
    fleet.of(1).layout = DeviceLayout(LAYOUT.identity, LAYOUT.scalers, LAYOUT.profiles, PUSHES)
    return fleet


def find(fleet: Fleet) -> Callable[[bytes], Entry | None]:
    return lambda title: fleet.of(1) if title == METER else None


@pytest.mark.covers("UC-EV-02", "F2a")
def test_a_push_is_named_by_the_list_that_was_learnt(fleet: Fleet) -> None:
    pushed = read_push(sealed(notification()), find(fleet), NOW + 1)
    assert (pushed.time_s, pushed.received_s, pushed.counter) == (NOW, NOW + 1, 5)
    assert pushed.numbers == ((ALARMS, 0x10000), (ENERGY, 4711))
    assert [value for _, _, value in pushed.values] == ["MWYM1", "65536", "4711"]


def test_a_push_of_a_device_not_learnt_yet_is_understood_as_far_as_it_says_itself(fleet: Fleet) -> None:
    fleet.of(1).layout = None
    body = axdr.encode(axdr.structure(axdr.octets(ENERGY.encode()), axdr.u32(12)))
    pushed = read_push(sealed(DataNotification(invoke=1, date_time=b"", body=body).encode()), find(fleet), NOW)
    assert pushed.numbers == ((ENERGY, 12),)
    assert pushed.time_s == NOW


@pytest.mark.covers("SEC-04", "SEC-11")
@pytest.mark.parametrize(
    ("apdu", "check"),
    [
        (notification(), "policy"),
        (sealed(notification(), title=b"EVE\x00\x00\x00\x00\x01"), "title"),
        (sealed(notification(), key=bytes(16)), "tag"),
        (sealed(notification(), control=0x20), "policy"),
    ],
    ids=["plain", "unknown", "another key", "encrypted only"],
)
def test_a_push_that_proves_nothing_is_refused(fleet: Fleet, apdu: bytes, check: str) -> None:
    with pytest.raises(SecurityError) as error:
        read_push(apdu, find(fleet), NOW)
    assert error.value.check == check


def test_a_protected_apdu_that_is_no_notification_is_refused(fleet: Fleet) -> None:
    with pytest.raises(DecodeError, match="no data-notification"):
        read_push(sealed(bytes.fromhex("c001c100080000010000ff0200")), find(fleet), NOW)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_pushes_bring_only_our_errors(fleet: Fleet, data: st.DataObject) -> None:
    plain = bytearray(notification())
    plain[data.draw(st.integers(0, len(plain) - 1))] = data.draw(st.integers(0, 255))
    apdu = bytearray(sealed(bytes(plain)))
    if data.draw(st.booleans()):
        apdu[data.draw(st.integers(0, len(apdu) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read_push(bytes(apdu), find(fleet), NOW)
    except MeterwayError:
        return


class Bench:
    """A listener whose store may refuse."""

    def __init__(self, store: Store, fleet: Fleet) -> None:
        self.full = False
        self.live = Live()
        self.listener = PushListener(store, fleet, self.live, in_thread=self.step)

    async def step(self, work: Callable[[], None]) -> None:
        if self.full:
            raise StoreError("no space is left")
        work()


@pytest.mark.covers("SEC-05", "SEC-11", "UC-EV-02")
def test_each_push_is_stored_once_with_its_readings(
    store: Store, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)

    async def work() -> None:
        bench = Bench(store, fleet)
        for counter in (5, 6, 6, 4):
            bench.listener.take(sealed(notification(), counter=counter))
        assert await bench.listener._store_waiting()
        assert bench.listener.refused == {"counter": 2}
        assert (bench.listener.count, bench.live.counts["push"]) == (2, 2)
        assert [(event.code, event.log) for event in store.events.recent()] == [(0x10000, "push")] * 2
        assert [reading.value for reading in store.readings.latest(1)] == [4711]
        assert store.counters.next(1, "pushed") == 7
        again = Bench(store, fleet)
        again.listener.take(sealed(notification(), counter=6))
        assert again.listener.refused == {"counter": 1}

    asyncio.run(work())


@pytest.mark.covers("UC-EV-02")
def test_what_the_store_refuses_waits_until_it_takes_it(store: Store, fleet: Fleet) -> None:
    async def work() -> None:
        bench = Bench(store, fleet)
        bench.full = True
        bench.listener.take(sealed(notification()))
        assert not await bench.listener._store_waiting()
        assert bench.listener.refused == {"store": 1}
        assert store.events.recent() == []
        bench.full = False
        running = asyncio.create_task(bench.listener.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert len(store.events.recent()) == 1

    asyncio.run(work())


def test_a_clock_that_is_days_off_dates_no_reading(store: Store, fleet: Fleet) -> None:
    async def work() -> None:
        bench = Bench(store, fleet)
        bench.listener.take(sealed(notification(at=NOW - 4e7)))
        await bench.listener._store_waiting()
        assert store.readings.latest(1) == []
        assert len(store.events.recent()) == 1

    asyncio.run(work())


def test_a_taken_port_is_said_and_both_ports_are_let_go(store: Store, fleet: Fleet) -> None:
    async def work() -> None:
        taken = await tcp.listen("127.0.0.1", 0, asyncio.Protocol)
        bench = Bench(store, fleet)
        with pytest.raises(ConfigError, match=str(taken.port)):
            await bench.listener.start("127.0.0.1", taken.port)
        assert bench.listener.port == 0
        taken.close()
        await bench.listener.start("127.0.0.1", 0)
        frame = WrapperFrame(source=1, destination=1, apdu=sealed(notification())).encode()
        _, writer = await asyncio.open_connection("127.0.0.1", bench.listener.port)
        writer.write(frame + b"\x00\x02nonsense")
        await writer.drain()
        while not bench.listener.count:  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.01)
        writer.close()
        await writer.wait_closed()
        bench.listener.close()

    asyncio.run(work())
