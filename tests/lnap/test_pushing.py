"""A push is protected for its party and tried again until the line takes it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from lnap_town import NOON, RadioMeter, ledger, site
from meterway.base.ciphers import Gcm12
from meterway.base.errors import ConfigError, StoreError
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.site import Site
from meterway.lnap.links_config import PushConfig
from meterway.lnap.pushing import Pusher, protected_push
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.security.context import open_octets
from meterway.stacks.dlms.wrapper import decode_datagram
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphered
from meterway.stacks.dlms.xdlms.notification import DataNotification
from meterway.store.party_counters import PartyCounters


@pytest.mark.covers("F3a", "SEC-05")
def test_a_push_opens_under_the_partys_keys_for_that_device(tmp_path: Path) -> None:
    book = ledger(tmp_path, RadioMeter().bound())
    found = site(book)
    found.alarms[1] = 0x10
    counters = PartyCounters(book.spool, found)
    client, apdu = protected_push(found, 1, "operator", counters, invoke=1, now=NOON)
    envelope = decode_apdu(apdu)
    assert client == 1
    assert isinstance(envelope, GeneralCiphered)
    assert envelope.system_title == found.title(1)
    keys = found.keys(found.parties[0], 1)
    plain, _, _ = open_octets(Gcm12(keys.guek), keys.gak, envelope.system_title, envelope.protected)
    assert isinstance(decode_apdu(plain), DataNotification)
    assert plain.endswith(b"\x06\x00\x00\x00\x10")
    with pytest.raises(ConfigError, match="nobody"):
        protected_push(found, 1, "nobody", counters, invoke=1, now=NOON)
    book.spool.close()


class Receiver:
    """A head end's push port: keeps what it reads; ``broken`` takes the octets and cuts the line."""

    def __init__(self) -> None:
        self.came: list[bytes] = []
        self.broken = 0
        self.port = 0
        self._server: asyncio.Server | None = None

    async def open(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        octets = await reader.read()
        self.came.append(octets)
        if self.broken:
            self.broken -= 1
            line = writer.transport.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0" + bytes(4))
            writer.transport.abort()
        else:
            writer.close()

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()


def push_to(port: int) -> PushConfig:
    return PushConfig(port=port, party="operator", retry_s=0.02)


def told(octets: bytes, found: Site) -> tuple[int, int]:
    """The long-invoke-id and the alarms of a push."""
    frame = decode_datagram(octets)
    envelope = decode_apdu(frame.apdu)
    assert isinstance(envelope, GeneralCiphered)
    keys = found.keys(found.parties[0], frame.source - 1)
    plain, _, _ = open_octets(Gcm12(keys.guek), keys.gak, envelope.system_title, envelope.protected)
    apdu = decode_apdu(plain)
    assert isinstance(apdu, DataNotification)
    return apdu.invoke, int.from_bytes(plain[-4:], "big")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.01)


def outbox(tmp_path: Path, *, keep: int = 100) -> tuple[Ledger, Site]:
    book = ledger(tmp_path, RadioMeter().bound())
    found = site(book)
    found.keep_pushes = keep
    found.restore()
    book.on_events = found.note
    return book, found


@pytest.mark.covers("F3a")
def test_pushes_wait_until_somebody_listens_and_come_in_order_as_they_were(tmp_path: Path) -> None:
    book, found = outbox(tmp_path)

    async def run() -> list[tuple[int, int]]:
        receiver = Receiver()
        await receiver.open()
        await receiver.close()
        pusher = Pusher(push_to(receiver.port), found, PartyCounters(book.spool, found))
        task = asyncio.create_task(pusher.run())
        for code in (Code.REPLAY, Code.REGISTER_FELL, Code.METER_ALARM):
            book.gateway.log(NOON, code, 1)
            book.flush()
            pusher.wake()
            await until(lambda: pusher.failed)
        await receiver.open(receiver.port)
        await until(lambda: pusher.sent == 3)
        task.cancel()
        await receiver.close()
        return [told(octets, found) for octets in receiver.came]

    came = asyncio.run(run())
    assert [alarms for _, alarms in came] == [0b1000, 0b11000, 0b1011000]
    assert [number for number, _ in came] == sorted(number for number, _ in came)
    assert book.spool.to_tell() == []
    book.spool.close()


@pytest.mark.covers("F3a")
def test_a_push_that_the_line_may_have_lost_comes_again_under_its_number(tmp_path: Path) -> None:
    book, found = outbox(tmp_path)
    book.gateway.log(NOON, Code.REPLAY, 1)
    book.flush()

    async def run() -> list[tuple[int, int]]:
        receiver = Receiver()
        receiver.broken = 2
        await receiver.open()
        pusher = Pusher(push_to(receiver.port), found, PartyCounters(book.spool, found))
        task = asyncio.create_task(pusher.run())
        await until(lambda: pusher.sent)
        task.cancel()
        await receiver.close()
        return [told(octets, found) for octets in receiver.came]

    came = asyncio.run(run())
    assert len(came) == 3
    assert len(set(came)) == 1
    book.spool.close()


@pytest.mark.covers("F3a", "E-LNAP")
def test_alarms_and_their_pushes_survive_a_power_cut_and_a_full_outbox_is_counted(tmp_path: Path) -> None:
    book, _ = outbox(tmp_path, keep=2)
    for code in (Code.REPLAY, Code.REGISTER_FELL, Code.METER_ALARM):
        book.gateway.log(NOON, code, 1)
        book.flush()
    book.spool.close()  # nothing was written at an end: there was none

    again, site_again = outbox(tmp_path)
    assert site_again.alarms == {1: 0b1011000}
    assert len(again.spool.to_tell(9)) == 2
    assert site_again.lost_pushes == 1
    again.gateway.unbind(1, NOON)
    again.drop_meter(1)

    async def run() -> Pusher:
        pusher = Pusher(push_to(9), site_again, PartyCounters(again.spool, site_again))
        task = asyncio.create_task(pusher.run())
        await until(lambda: not again.spool.to_tell())
        task.cancel()
        return pusher

    pusher = asyncio.run(run())
    assert (pusher.sent, pusher.gone) == (0, 2)
    again.spool.close()


def test_what_the_disk_does_not_take_is_written_later(tmp_path: Path) -> None:
    book, _ = outbox(tmp_path)
    book.spool._db.execute("PRAGMA query_only = ON")
    book.gateway.log(NOON, Code.REPLAY, 1)
    with pytest.raises(StoreError):
        book.flush()
    book.spool._db.execute("PRAGMA query_only = OFF")
    book.flush()
    assert len(book.spool.to_tell(9)) == 1
    assert [event.code for event in book.events(1, 0, 1e12)] == [Code.METER_BOUND, Code.REPLAY]
    book.spool.close()
