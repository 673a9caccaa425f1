"""Who is heard and not known: told of once, and nobody fills the memory or the log with made-up addresses."""

from __future__ import annotations

import pytest

from lnap_town import NOON, RadioMeter, hear, ledger
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.strangers import Strangers


def _address(number: int):
    return RadioMeter(ident=f"{number:08d}").address


def test_a_stranger_is_told_of_once_and_counted() -> None:
    strangers = Strangers()
    assert [strangers.heard(_address(1), NOON + each, -70.0) for each in range(3)] == [True, False, False]
    found = strangers.known[_address(1)]
    assert (found.count, found.first_s, found.last_s, found.rssi_dbm) == (3, NOON, NOON + 2, -70.0)


@pytest.mark.covers("SEC-11")
def test_made_up_addresses_fill_neither_memory_nor_log() -> None:
    strangers = Strangers()
    told = sum(strangers.heard(_address(number), NOON + number / 100, None) for number in range(3000))
    assert told == 20
    assert len(strangers.known) == 1024
    assert _address(2999) in strangers.known
    assert _address(0) not in strangers.known
    assert strangers.heard(_address(5000), NOON + 3700, None)


def test_only_who_wants_to_know_is_told(tmp_path) -> None:
    book = ledger(tmp_path)
    hear(book, RadioMeter(ident="99999999").telegram(1), NOON)
    assert Code.METER_UNKNOWN not in [event.code for event in book.gateway.events]
    book.gateway.strangers = Strangers()
    hear(book, RadioMeter(ident="99999999").telegram(1), NOON)
    assert Code.METER_UNKNOWN in [event.code for event in book.events(0, 0, 1e12)]
    book.spool.close()
