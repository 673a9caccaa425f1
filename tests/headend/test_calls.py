"""Calls from the field: a concentrator opens the line, the head end is the client on it; and wakes one that sleeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from headend.nnap_double import SECRET, Double, living, meter
from meterway.base.errors import DecodeError, LinkError, MeterwayError, SecurityError
from meterway.base.obis import Obis
from meterway.headend.calls import CallListener, caller_of, wake_datagram
from meterway.headend.commands import Command
from meterway.headend.config import CallsConfig
from meterway.headend.gateway_keys import keys_behind
from meterway.headend.serve import HeadEnd
from meterway.links import tcp, udp
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.security.context import Keys, SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.wrapper.frame import encode_frame
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphered
from meterway.stacks.dlms.xdlms.notification import DataNotification

pytestmark = pytest.mark.covers("IF-G2", "E-HES-5", "SEC-03")

TITLE = b"MWYNNAP1"
ENERGY = Command(obis=Obis(1, 0, 1, 8, 0))
DERIVED = keys_behind(SECRET, "operator", "N1", "N1")


def greeting(counter: int = 1, *, title: bytes = TITLE, key: bytes = DERIVED["guek"], plain: bool = False) -> bytes:
    """What a concentrator says first."""
    context = SecurityContext(
        keys=Keys(key, DERIVED["gak"]), own_title=title, peer_title=b"", send_counter=SendCounter(counter),
        received=ReceivedCounter(), control=0x30,
    )  # fmt: skip
    apdu = DataNotification(invoke=1, date_time=b"", body=axdr.encode(axdr.octets(b"N1"))).encode()
    return apdu if plain else context.protect_general(apdu)


def meet(tmp_path: Path, double: Double, work: Callable[[HeadEnd], Coroutine[Any, Any, None]]) -> None:
    """A head end that cannot reach the concentrator by itself."""

    async def run() -> None:
        async with living(tmp_path, double, calls=CallsConfig(port=0, enabled=True)) as head:
            nnap = head.store.devices.by_serial("N1")
            head.store.devices.update(nnap.id, {"port": 1, "system_title": TITLE}, now_ms=2)
            for serial in double.meters:
                head.store.devices.update(head.store.devices.by_serial(serial).id, {"port": 1}, now_ms=2)
            await work(head)

    asyncio.run(run())


async def call_in(head: HeadEnd, double: Double, first: bytes) -> Any:
    """The concentrator's end of a line it opens."""
    line = await tcp.connect("127.0.0.1", head.calls.port, double.line)
    line._transport.write(encode_frame(1, 1, first))  # type: ignore[union-attr]
    return line


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.01)


def refused(head: HeadEnd) -> int:
    return head.live.counts["call-refused"]


def test_one_session_after_another_runs_over_a_line_that_was_opened_from_the_field(tmp_path: Path) -> None:
    double = Double("N1", meter("M1"))

    async def work(head: HeadEnd) -> None:
        assert (await head.collect_now("N1"))["cause"] == "link"
        line = await call_in(head, double, greeting())
        await until(lambda: head.called.line(1) is not None)
        assert (await head.collect_now("N1"))["cause"] == "ok"
        both = await asyncio.gather(head.read("M1", ENERGY, actor="t"), head.collect_now("N1"))
        assert both[0].value is not None
        assert both[1]["cause"] == "ok"
        line.close()
        await until(lambda: head.called.line(1) is None)
        with pytest.raises(LinkError):
            await head.read("M1", ENERGY, actor="t")

    meet(tmp_path, double, work)


def test_a_call_makes_due_what_had_failed(tmp_path: Path) -> None:
    double = Double("N1", meter("M1"))

    async def work(head: HeadEnd) -> None:
        from meterway.store.tasks import NewTask

        later = int(time.time() * 1000) + 3_600_000
        head.store.tasks.add_many([NewTask(device=1, kind="collect", due_ms=later)], now_ms=1)
        await call_in(head, double, greeting())

        def is_due() -> bool:
            tasks = [task for task in head.store.tasks.of_device(1) if task.state == "due"]
            return [task.due_ms < later for task in tasks] == [True]

        await until(is_due)

    meet(tmp_path, double, work)


@pytest.mark.covers("SEC-11")
def test_who_does_not_prove_who_it_is_is_hung_up_on(tmp_path: Path) -> None:
    double = Double("N1")

    async def work(head: HeadEnd) -> None:
        wrong = [
            greeting(title=b"MWYOTHER"), greeting(key=bytes(16)), greeting(plain=True), b"\xc0\x01", b"\xff",
        ]  # fmt: skip
        for count, first in enumerate(wrong, 1):
            line = await call_in(head, double, first)
            await until(lambda count=count: refused(head) == count)  # type: ignore[misc]
            await until(lambda line=line: not line.connected)  # type: ignore[misc]
        first = await call_in(head, double, greeting(5))
        await until(lambda: head.called.line(1) is not None)
        await call_in(head, double, greeting(5))
        await until(lambda: refused(head) == len(wrong) + 1)
        assert first.connected
        await call_in(head, double, greeting(6))
        await until(lambda: not first.connected)
        assert head.called.line(1) is not None

    meet(tmp_path, double, work)


@pytest.mark.covers("SEC-11")
def test_who_says_nothing_is_hung_up_on_too(tmp_path: Path) -> None:
    async def work(head: HeadEnd) -> None:
        listener = CallListener(
            head.store, head.fleet, head.live, head.called, push=head.push.take, in_thread=head.collector.in_thread,
            wake=lambda: None,
            hello_s=0.2,
        )  # fmt: skip
        await listener.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        listener.close()

    meet(tmp_path, Double("N1"), work)


def test_one_that_only_calls_in_is_woken_when_work_waits(tmp_path: Path) -> None:
    double = Double("N1", meter("M1"))
    heard: list[bytes] = []

    async def work(head: HeadEnd) -> None:
        def woken(_: Any, octets: bytes, __: Any) -> None:
            heard.append(octets)
            calls.append(asyncio.get_running_loop().create_task(call_in(head, double, greeting(len(heard)))))

        calls: list[Any] = []
        endpoint = await udp.listen_udp("127.0.0.1", 0, woken)
        flags = {"wake": f"127.0.0.1:{endpoint.address[1]}"}
        head.store.devices.update(1, {"flags": flags}, now_ms=3)
        head.fleet.reload(1)
        assert (await head.collect_now("N1"))["cause"] == "ok"
        assert len(heard) == 1
        envelope = decode_apdu(heard[0])
        assert isinstance(envelope, GeneralCiphered)
        opener = SecurityContext(
            keys=Keys(DERIVED["guek"], DERIVED["gak"]), own_title=TITLE, peer_title=envelope.system_title,
            send_counter=SendCounter(), received=ReceivedCounter(), control=0x30,
        )  # fmt: skip
        told = decode_apdu(opener.open(envelope.protected))
        assert isinstance(told, DataNotification)
        word, made = axdr.to_native(told.body)[0]  # type: ignore[misc]
        assert (word, abs(made - time.time()) < 30) == ("wake", True)
        endpoint.close()

    meet(tmp_path, double, work)


def test_what_is_no_greeting_says_why(tmp_path: Path) -> None:
    async def work(head: HeadEnd) -> None:
        entry = await head.entry("N1")
        assert caller_of(greeting(9), lambda _: entry) == (entry, 9)
        with pytest.raises(SecurityError):
            caller_of(greeting(), lambda _: None)
        with pytest.raises((SecurityError, DecodeError)):
            caller_of(b"\x0f\x00", lambda _: entry)
        fresh = head.fleet.by_serial("N1")
        assert wake_datagram(fresh, b"MWYHEAD1", time.time()) != wake_datagram(fresh, b"MWYHEAD1", time.time())
        fresh.sent = None
        with pytest.raises(MeterwayError, match="counter"):
            wake_datagram(fresh, b"MWYHEAD1", 1.0)

    meet(tmp_path, Double("N1"), work)
