"""A push is protected for its party and tried again until the line takes it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lnap_town import NOON, RadioMeter, ledger, site
from meterway.base.ciphers import Gcm12
from meterway.base.errors import ConfigError
from meterway.lnap.counters import DlmsCounters
from meterway.lnap.links_config import PushConfig
from meterway.lnap.pushing import Pusher, protected_push
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.security.context import open_octets
from meterway.stacks.dlms.wrapper import decode_datagram
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphered
from meterway.stacks.dlms.xdlms.notification import DataNotification


@pytest.mark.covers("F3a", "SEC-05")
def test_a_push_opens_under_the_partys_keys_for_that_device(tmp_path: Path) -> None:
    book = ledger(tmp_path, RadioMeter().bound())
    found = site(book)
    found.alarms[1] = 0x10
    counters = DlmsCounters(book.spool, found)
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


@pytest.mark.covers("F3a")
def test_a_push_waits_until_somebody_listens(tmp_path: Path) -> None:
    book = ledger(tmp_path, RadioMeter().bound())
    found = site(book)

    async def run() -> bytes:
        came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.set_result(await reader.read())
            writer.close()

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        config = PushConfig(port=port, party="operator", retry_s=0.02)
        pusher = Pusher(config, found, DlmsCounters(book.spool, found), lambda: NOON)
        pusher.push(0)
        pusher.push(0)
        async with asyncio.timeout(10):
            while not pusher.failed:  # noqa: ASYNC110  what is waited for has no event
                await asyncio.sleep(0.01)
            server = await asyncio.start_server(take, "127.0.0.1", port)
            octets = await came
        await pusher.drain()
        server.close()
        await server.wait_closed()
        return octets

    frame = decode_datagram(asyncio.run(run()))
    assert (frame.source, frame.destination) == (1, 1)
    book.spool.close()
