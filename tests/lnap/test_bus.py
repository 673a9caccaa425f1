"""On a two-wire bus the gateway polls, delivers orders and searches; nothing that answers badly ends it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from lnap_town import NOON, RadioMeter, ledger
from meterway.base.errors import LinkError
from meterway.base.obis import Obis
from meterway.interfaces.mbus.delivery import digest
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.meters import Bound
from meterway.interfaces.mbus.mirror import OrderState
from meterway.lnap.bus import Bus
from meterway.lnap.links_config import BusConfig
from meterway.meter.firmware import signed_image
from meterway.meter.mbus.api import HostConfig, MeterConfig, Utility, running
from meterway.stacks.mbus.application import ClockOrder
from meterway.stacks.mbus.link.search import scan_primary

WATER = Obis(8, 0, 1, 0, 0)
METERS = tuple(
    MeterConfig(ident=f"2000000{number}", utility=Utility.WATER, security=0, primary=number) for number in (1, 2, 3)
)


def wired(config: MeterConfig, channel: int, *, primary: int | None = None) -> Bound:
    meter = RadioMeter(mode=0)
    return meter.bound(channel, address=config.address, link="wired", primary=primary)


def on_bus(
    tmp_path: Path,
    work: Callable[[Bus, Ledger], Coroutine[Any, Any, None]],
    *bound: Bound,
    meters: tuple[MeterConfig, ...] = METERS,
    **more: Any,
) -> None:
    async def run() -> None:
        async with running(HostConfig(meters=meters, bus_port=0)) as host:
            book = ledger(tmp_path, *bound)
            config = BusConfig(port=host.bus_port or 0, baud=38400, latency_s=0.02, **more)
            bus = Bus(config, book, lambda: NOON + bus.polls)
            task = asyncio.create_task(bus.run())
            try:
                async with asyncio.timeout(30):
                    await work(bus, book)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                book.spool.close()

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  what is waited for has no event
        await asyncio.sleep(0.02)


@pytest.mark.covers("IF-M", "F1a")
def test_wired_meters_are_polled_by_secondary_and_by_primary_address(tmp_path: Path) -> None:
    async def work(bus: Bus, book: Ledger) -> None:
        await until(lambda: all(book.gateway.mirror.get(channel, WATER) for channel in (1, 2)))
        assert book.gateway.mirror.get(1, WATER) != book.gateway.mirror.get(2, WATER)

    on_bus(tmp_path, work, wired(METERS[0], 1), wired(METERS[1], 2, primary=2))


@pytest.mark.covers("IF-M", "UC-IN-02")
def test_an_order_is_delivered_with_the_next_poll(tmp_path: Path) -> None:
    async def work(bus: Bus, book: Ledger) -> None:
        order = ClockOrder(moment=dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC).replace(tzinfo=None))
        waiting = book.gateway.order(1, "clock", order.encode(), now=NOON, valid_s=9999, ci=order.ci)
        await until(lambda: not waiting.is_open)
        assert waiting.state is OrderState.DONE

    on_bus(tmp_path, work, wired(METERS[0], 1))


@pytest.mark.covers("IF-M", "SEC-05")
@pytest.mark.parametrize("security", [5, 7, 10])
def test_a_protected_meter_is_read_and_ordered_on_the_wire(tmp_path: Path, security: int) -> None:
    key = bytes(range(16))
    meter = MeterConfig(ident="30000001", utility=Utility.WATER, security=security, key=key.hex(), primary=9)  # type: ignore[arg-type]
    bound = RadioMeter(mode=security).bound(1, address=meter.address, link="wired")

    async def work(bus: Bus, book: Ledger) -> None:
        await until(lambda: book.gateway.mirror.get(1, WATER) is not None)
        order = ClockOrder(moment=dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC).replace(tzinfo=None))
        waiting = book.gateway.order(1, "clock", order.encode(), now=NOON, valid_s=9999, ci=order.ci)
        bus.poll(1)
        await until(lambda: not waiting.is_open)
        assert waiting.state is OrderState.DONE, waiting

    on_bus(tmp_path, work, bound, meters=(meter,))


@pytest.mark.covers("UC-IN-01")
@pytest.mark.parametrize("priority", ["secondary-first", "primary-first"])
def test_a_search_proposes_what_it_finds_and_binds_nothing(
    tmp_path: Path, priority: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meterway.lnap.bus.scan_primary", lambda bits: scan_primary(bits, range(1, 5)))

    async def work(bus: Bus, book: Ledger) -> None:
        await until(lambda: len(book.gateway.proposals) == 2)
        assert {str(one) for one in book.gateway.proposals} == {str(meter.address) for meter in METERS[1:]}
        assert set(book.gateway.channels) == {1}

    on_bus(tmp_path, work, wired(METERS[0], 1), search=priority)


def test_without_a_line_there_is_nothing_to_ask(tmp_path: Path) -> None:
    book = ledger(tmp_path)

    async def run() -> None:
        bus = Bus(BusConfig(port=1), book, lambda: NOON)
        assert bus.poll(1) is False
        with pytest.raises(LinkError):
            await bus.search("primary-first")

    asyncio.run(run())
    book.spool.close()


def test_a_meter_that_is_gone_is_counted_and_the_others_are_read(tmp_path: Path) -> None:
    gone = RadioMeter(mode=0, kind=7, ident="77777777").bound(1, link="wired")

    async def work(bus: Bus, book: Ledger) -> None:
        await until(lambda: bus.failures > 0 and book.gateway.mirror.get(2, WATER) is not None)

    on_bus(tmp_path, work, gone, wired(METERS[0], 2))


@pytest.mark.covers("IF-M", "UC-IN-05")
@pytest.mark.parametrize("security", [0, 7])
def test_firmware_is_handed_down_on_the_wire_between_the_readings(tmp_path: Path, security: int) -> None:
    meter = MeterConfig(
        ident="30000001", utility=Utility.WATER, security=security, key=bytes(range(16)).hex(), primary=9
    )  # type: ignore[arg-type]
    bound = RadioMeter(mode=security).bound(1, address=meter.address, link="wired")
    image = signed_image(bytes(range(256)) * 40)

    async def work(bus: Bus, book: Ledger) -> None:
        await until(lambda: book.gateway.mirror.get(1, WATER) is not None)
        delivery = book.gateway.delivery(1)
        delivery.transfer.initiate(b"WATER-2", len(image))
        for number in range(-(-len(image) // 512)):
            delivery.transfer.transfer_block(number, image[number * 512 : number * 512 + 512])
        delivery.transfer.activate(digest)
        book.images.begin_delivery(1)
        bus.poll(1)
        await until(lambda: not delivery.is_under_way)
        assert delivery.told == "WATER-2"

    on_bus(tmp_path, work, bound, meters=(meter,))
