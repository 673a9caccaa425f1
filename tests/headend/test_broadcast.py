"""A command to everyone behind a concentrator, as a meter hears it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from headend.nnap_double import Double, living, meter
from meterway.base.errors import ConfigError, SecurityError
from meterway.base.obis import Obis
from meterway.headend.broadcast import broadcast_apdu, deliver, states
from meterway.headend.commands import Command
from meterway.mapping.neighbourhood import GroupOrder, OrderState
from meterway.meter.counters import ClockCounters
from meterway.meter.objects import LogicalMeter
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.server.broadcast import BroadcastServer
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphered
from meterway.store.devices import NewDevice

pytestmark = pytest.mark.covers("F4f", "SEC-04")
OFF = Command(obis=Obis(0, 0, 96, 3, 10), class_id=70, method="remote_disconnect")


def test_a_meter_does_it_once_and_nobody_else_can_say_it(tmp_path: Path) -> None:
    one = meter("M0")
    heard = BroadcastServer({1: LogicalMeter(one, ClockCounters(time.time), lambda _: time.time())}.get)

    async def work() -> None:
        async with living(tmp_path, Double("N1")) as head:
            nnap = head.store.devices.by_serial("N1")
            apdu = broadcast_apdu(head, nnap, OFF)
            altered = apdu[:-1] + bytes((apdu[-1] ^ 1,))
            assert not heard.take(altered, client=102, server=1, now=time.time())
            assert heard.take(apdu, client=102, server=1, now=time.time())
            assert not heard.take(apdu, client=102, server=1, now=time.time())
            again = broadcast_apdu(head, nnap, OFF)
            assert again != apdu
            assert heard.take(again, client=102, server=1, now=time.time())
            assert head.store.counters.next(nnap.id, "broadcast") > time.time() - 5
            stranger = head.store.devices.add(NewDevice(serial="N2"), now_ms=1)
            with pytest.raises(SecurityError, match="broadcast key"):
                broadcast_apdu(head, stranger, OFF)
            with pytest.raises(ConfigError, match="class"):
                broadcast_apdu(head, nnap, Command(obis=OFF.obis))

    asyncio.run(work())


@pytest.mark.covers("SEC-03")
def test_no_counter_is_used_twice_under_a_key_that_two_concentrators_share(tmp_path: Path) -> None:
    async def work() -> None:
        async with living(tmp_path, Double("N1"), Double("N2")) as head:
            nnaps = [head.store.devices.by_serial(serial) for serial in ("N1", "N2", "N1", "N2")]
            apdus = [broadcast_apdu(head, nnap, OFF) for nnap in nnaps]
            envelopes = [decode_apdu(apdu) for apdu in apdus]
            counters = [each.protected[1:5] for each in envelopes if isinstance(each, GeneralCiphered)]
            assert len(set(counters)) == 4
            assert counters == sorted(counters)

    asyncio.run(work())


def test_an_order_is_handed_over_once_and_its_state_asked_for(tmp_path: Path) -> None:
    double = Double("N1")

    async def work() -> None:
        async with living(tmp_path, double) as head:
            order = GroupOrder(id=b"o1", apdu=b"\xdb\x00", not_before=1, expires=2)
            await deliver(head, "N1", order)
            await deliver(head, "N1", order)
            (report,) = await states(head, "N1")
            assert (report.id, report.state) == (b"o1", OrderState.SENT)

    asyncio.run(work())
