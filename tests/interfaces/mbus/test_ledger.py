"""What the gateway knows outlives its process: meters, keys, counters, formats, orders, values, readings."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from lnap_town import NOON, RadioMeter, ledger
from meterway.base.errors import SecurityError
from meterway.base.obis import Obis
from meterway.interfaces.mbus.device import Fate, Gateway
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.mirror import Mirrored, OrderState
from meterway.interfaces.mbus.store import Spool
from meterway.interfaces.mbus.tariff import Row
from meterway.store.vault import Vault

GAS = Obis(7, 0, 3, 0, 0)


def hear(book: Ledger, octets: bytes, now: float) -> Fate:
    heard = book.gateway.receive(octets, link="radio", now=now, mode="T1")
    book.heard(heard)
    return heard.fate


@pytest.mark.covers("E-LNAP", "SEC-04")
def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    old = meter.telegram(12.345)
    hear(book, old, NOON)
    order = book.gateway.order(1, "clock", b"x", now=NOON, valid_s=3600)
    book.gateway.log(NOON, Code.CLOCK_SET)
    book.save()
    book.spool.close()

    again = ledger(tmp_path, now=NOON + 5)
    bound = again.gateway.channel(1)
    assert bound.keys == (meter.key,)
    shown = again.shown(bound, GAS)
    assert shown is not None
    assert shown[0].raw == 12345
    assert again.gateway.mailbox.waiting(1)[0].number == order.number
    assert hear(again, old, NOON + 6) is Fate.DUPLICATE
    assert hear(again, meter.telegram(12.346), NOON + 7) is Fate.STORED
    again.spool.close()


@pytest.mark.covers("F2a", "E-LNAP")
def test_each_hour_has_the_last_value_that_came_before_it_or_none(tmp_path: Path) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    book.capture(NOON + 1)
    for minute, value in ((10, 1.0), (50, 2.0), (70, 3.0)):
        book.capture(NOON + minute * 60)
        hear(book, meter.telegram(value), NOON + minute * 60)
    for hour in (2, 3, 4):
        book.capture(NOON + hour * 3600)
    bound = book.gateway.channel(1)
    assert book.rows(bound, GAS, 0, 1e12) == [Row(int(NOON) + 3600, 2000), Row(int(NOON) + 7200, 3000)]
    assert book.capture(NOON + 4 * 3600 + 1) == 0
    book.spool.close()


def test_a_register_keeps_the_scaler_it_first_had(tmp_path: Path) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    hear(book, meter.telegram(5.0), NOON)
    number = book.spool.known(meter.address)[GAS]
    assert book.spool.register(meter.address, GAS, scaler=-6, unit=13) == number
    book.spool.close()


@pytest.mark.covers("SEC-05")
def test_keys_do_not_open_under_another_master_key(tmp_path: Path) -> None:
    book = ledger(tmp_path, RadioMeter().bound())
    assert RadioMeter().key not in (tmp_path / "spool.sqlite").read_bytes()
    book.spool.close()
    other = Ledger(Gateway(), Spool(tmp_path / "spool.sqlite"), Vault(b"o" * 32))
    with pytest.raises(SecurityError):
        other.restore(NOON)
    other.spool.close()


def test_a_meter_that_left_is_gone_after_a_restart(tmp_path: Path) -> None:
    book = ledger(tmp_path, RadioMeter().bound())
    book.gateway.unbind(1, NOON)
    book.drop_meter(1)
    book.spool.close()
    again = ledger(tmp_path)
    assert again.gateway.meters == {}
    again.spool.close()


@pytest.mark.covers("F3a")
def test_silence_and_late_orders_are_seen(tmp_path: Path) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    hear(book, meter.telegram(1.0), NOON)
    order = book.gateway.order(1, "valve", b"x", now=NOON, valid_s=60)
    assert book.watch(NOON + 30, silent_after_s=3600) == []
    assert [one.channel for one in book.watch(NOON + 4000, silent_after_s=3600)] == [1]
    assert order.state is OrderState.EXPIRED
    found = [event.code for event in book.events(1, 0, 1e12)]
    assert found[-2:] == [Code.ORDER_EXPIRED, Code.COMMUNICATION_ERROR]
    book.spool.close()


@pytest.mark.covers("E-LNAP")
def test_five_hundred_meters_cost_a_few_megabytes(tmp_path: Path) -> None:
    """The process itself takes 60 MB: with these it stays well under 100."""
    meters = [RadioMeter(kind=(3, 4, 7, 8)[number % 4], ident=f"{10000000 + number}") for number in range(500)]
    telegrams = [meter.telegram(1000.0) for meter in meters]
    tracemalloc.start()
    try:
        book = ledger(tmp_path, *[meter.bound(number) for number, meter in enumerate(meters, 1)])
        for octets in telegrams:
            assert hear(book, octets, NOON) is Fate.STORED
        book.flush()
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 12 << 20
    book.spool.close()


@pytest.mark.covers("E-LNAP", "F2a")
def test_after_sixty_days_without_a_network_every_hour_is_there_within_the_stated_size(tmp_path: Path) -> None:
    meters = [RadioMeter(ident=f"1000{number:04d}") for number in range(20)]
    book = ledger(tmp_path, *(meter.bound(channel) for channel, meter in enumerate(meters, 1)), limit=2 << 20)
    hours = 60 * 24
    book.capture(NOON + 1)
    for hour in range(1, hours + 1):
        now = NOON + hour * 3600
        for channel in range(1, 21):
            value = Mirrored(GAS, hour * 10 + channel, -3, 13, now - 60)
            book.gateway.mirror.put(channel, value)
        book.capture(now)
    assert book.spool.dropped == 0
    assert book.spool.octets < 2 << 20
    for channel in (1, 20):
        rows = book.rows(book.gateway.channel(channel), GAS, 0, 1e12)
        assert [row.raw for row in rows] == [hour * 10 + channel for hour in range(1, hours + 1)]
    book.spool.close()
    again = ledger(tmp_path, limit=2 << 20, now=NOON + hours * 3600)
    assert len(again.rows(again.gateway.channel(7), GAS, 0, 1e12)) == hours
    again.spool.close()


@pytest.mark.covers("E-LNAP", "E-NNAP")
def test_a_slot_that_ended_while_nobody_was_running_is_made_up_for(tmp_path: Path) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    book.capture(NOON + 1)
    hear(book, meter.telegram(1), NOON + 600)
    hear(book, meter.telegram(2), NOON + 1200)
    book.flush()
    book.spool.close()
    book = ledger(tmp_path, now=NOON + 3 * 3600 + 100)
    assert book.capture(NOON + 3 * 3600 + 100) == 0
    rows = book.rows(book.gateway.channel(1), GAS, 0, 1e12)
    assert [(row.time_s, row.raw) for row in rows] == [(NOON + 3600, 2000)]
    hear(book, meter.telegram(3), NOON + 3 * 3600 + 200)
    book.capture(NOON + 4 * 3600)
    rows = book.rows(book.gateway.channel(1), GAS, 0, 1e12)
    assert [(row.time_s, row.raw) for row in rows] == [(NOON + 3600, 2000), (NOON + 4 * 3600, 3000)]
    book.spool.close()


def test_a_start_does_not_put_a_value_into_a_slot_that_was_over_before_it(tmp_path: Path) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    hear(book, meter.telegram(1), NOON + 5)
    book.capture(NOON + 10)
    assert book.rows(book.gateway.channel(1), GAS, 0, 1e12) == []
    book.capture(NOON + 3600)
    assert len(book.rows(book.gateway.channel(1), GAS, 0, 1e12)) == 1
    book.spool.close()
