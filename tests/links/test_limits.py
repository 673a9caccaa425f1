from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from meterway.base.errors import ConfigError
from meterway.links import tcp
from meterway.links.limits import Addresses, Lines, raise_file_limit
from meterway.links.pump import EngineProtocol

resource = pytest.importorskip("resource")


def test_the_soft_limit_rises_to_what_is_allowed_and_never_falls() -> None:
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(before, 256), hard))
        assert raise_file_limit(300) == 300
        assert raise_file_limit(10) == 300
        if hard != resource.RLIM_INFINITY:
            assert raise_file_limit(1 << 40) == hard
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))


class _Silent:
    """An engine that says nothing."""

    def receive_data(self, data: bytes, now: float) -> None:
        """Nothing comes of it."""

    def next_event(self) -> None:
        return None

    def data_to_send(self) -> bytes:
        return b""

    def next_timeout(self) -> None:
        return None

    def handle_timeout(self, now: float) -> None:
        """Never."""


@pytest.mark.covers("SEC-11")
def test_addresses_are_those_named_or_those_of_this_machine() -> None:
    assert "127.0.0.1" in Addresses()
    assert "::1" in Addresses()
    assert "192.0.2.7" not in Addresses()
    given = Addresses(["192.0.2.0/24", "2001:db8::1"])
    assert given.is_given
    assert "192.0.2.7" in given
    assert "::ffff:192.0.2.7" in given
    assert "2001:db8::1%eth0" in given
    for other in ("127.0.0.1", "2001:db8::2", "", "somebody"):
        assert other not in given
    for wrong in ("head end", "192.0.2.7/24", ""):
        with pytest.raises(ConfigError, match="neither an address nor a network"):
            Addresses([wrong])


@pytest.mark.covers("SEC-11")
def test_lines_are_bounded_in_all_and_for_one_address_and_silent_ones_are_cut() -> None:
    async def work() -> None:
        lines = Lines(most=3, of_one=2, idle_s=60.0)

        def made() -> EngineProtocol[None]:
            protocol: EngineProtocol[None] = EngineProtocol(
                _Silent(), lambda _: None, on_made=lines.take, on_lost=lambda _: lines.drop(protocol)
            )
            return protocol

        listener = await tcp.listen("127.0.0.1", 0, made)
        peers = []
        for host in ("127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.3"):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, local_addr=(host, 0))
            peers.append((reader, writer))
        for place in (2, 4):
            with suppress(ConnectionResetError):
                assert await peers[place][0].read() == b""
        assert len(lines) == 3
        peers[1][1].close()
        async with asyncio.timeout(10):
            while len(lines) == 3:  # noqa: ASYNC110  what is waited for has no event
                await asyncio.sleep(0.01)
        now = asyncio.get_running_loop().time()
        assert lines.cut_idle(now) == 0
        assert lines.cut_idle(now + 61) == 2
        async with asyncio.timeout(10):
            while len(lines):  # noqa: ASYNC110  as above
                await asyncio.sleep(0.01)
        listener.close()
        for _, writer in peers:
            writer.close()

    asyncio.run(work())
