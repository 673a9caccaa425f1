"""Lines from the head end: who is not on the list is cut, and what meters say waits until somebody is there."""

import asyncio
from types import SimpleNamespace

import pytest

from meterway.nnap.config import SideConfig
from meterway.nnap.events import Code
from meterway.nnap.lines import NorthLines
from meterway.nnap.notices import Notice, Notices
from meterway.nnap.store import Store
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.wrapper import WrapperFraming

NOTICE = Notice(b"METER001", b"\xdb\x01", 1, 1)


class Wire(asyncio.Transport):
    """A transport to one host that remembers what was done with it."""

    def __init__(self, host):
        super().__init__({"peername": (host, 40000)})
        self.written, self.is_cut = b"", False

    def write(self, data):
        self.written += data

    def abort(self):
        self.is_cut = True

    def close(self):
        self.is_cut = True

    def is_closing(self):
        return self.is_cut


@pytest.fixture
def store(tmp_path):
    kept = Store(tmp_path / "nnap.sqlite")
    yield kept
    kept.close()


def lines_of(store, told, **wan):
    site = SimpleNamespace(party=lambda client: None, log=lambda now, code, detail="": told.append((now, code, detail)))
    return NorthLines(
        SideConfig(port=0, **wan), site, Notices(store), device_of=lambda sap: None, carry=lambda *_: None,
        now=lambda: 1000.0,
    )  # fmt: skip


def connected(lines, host):
    wire = Wire(host)
    lines.accept().connection_made(wire)
    return wire


@pytest.mark.covers("SEC-03", "SEC-11")
def test_who_is_not_on_the_list_is_cut_and_logged_once(store):
    async def work():
        told = []
        lines = lines_of(store, told, allow=("192.0.2.7",))
        assert connected(lines, "192.0.2.8").is_cut
        assert connected(lines, "192.0.2.8").is_cut
        assert not connected(lines, "192.0.2.7").is_cut
        assert told == [(1000.0, Code.ACCESS_DENIED, "192.0.2.8 on the port of the head end")]

    asyncio.run(work())


def test_there_are_so_many_lines_of_one_address_and_those_called_are_not_counted(store):
    async def work():
        lines = lines_of(store, [], lines_of_one=1)
        called, _ = lines.called(WrapperFraming(1, 1, role=Role.SERVER))
        called.connection_made(Wire("127.0.0.1"))
        first, second = connected(lines, "127.0.0.1"), connected(lines, "127.0.0.1")
        assert [first.is_cut, second.is_cut].count(True) == 1
        lines.abort()
        assert first.is_cut and second.is_cut

    asyncio.run(work())


def test_a_notice_goes_to_a_line_of_the_list_or_waits(store):
    async def work():
        lines = lines_of(store, [], allow=("192.0.2.7",))
        assert not lines.say(NOTICE)
        wire = connected(lines, "192.0.2.7")
        assert NOTICE.apdu in wire.written  # what waited
        wire.written = b""
        assert lines.say(NOTICE)
        assert NOTICE.apdu in wire.written

    asyncio.run(work())


def test_a_line_that_is_lost_is_forgotten(store):
    async def work():
        lines = lines_of(store, [])
        protocol = lines.accept()
        protocol.connection_made(Wire("127.0.0.1"))
        assert len(lines) == 1
        protocol.connection_lost(None)
        assert len(lines) == 0

    asyncio.run(work())
