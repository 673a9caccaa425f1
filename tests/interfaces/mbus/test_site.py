"""A site knows who everybody is, and which events are alarms."""

from __future__ import annotations

from pathlib import Path

from lnap_town import NOON, RadioMeter, ledger, site
from meterway.interfaces.mbus.events import Code, Event
from meterway.interfaces.mbus.tariff import TariffCase


def test_each_logical_device_has_a_title_and_keys_of_its_own(tmp_path: Path) -> None:
    book = ledger(tmp_path, RadioMeter().bound(1), RadioMeter(ident="10000002").bound(2))
    found = site(book)
    party = found.party("wan", 1)
    assert party is not None
    assert len({found.title(channel) for channel in range(3)}) == 3
    assert len({found.keys(party, channel).guek for channel in range(3)}) == 3
    assert found.party("home", 1) is None
    assert found.name(2) == "MWY-10000002-01-03"
    book.spool.close()


def test_an_alarm_raises_its_bit_and_is_to_be_pushed_once(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    found = site(book)
    found.note([Event(NOON, Code.REPLAY, 3), Event(NOON, Code.REPLAY, 3), Event(NOON, Code.METER_BOUND, 4)])
    assert found.alarms == {3: 1 << 3}
    book.spool.close()


def test_a_case_is_found_by_party_channel_and_name(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    case = TariffCase(case="TAF7", party="operator", channel=2)
    found = site(book, tariffs=(case,))
    party = found.parties[0]
    assert found.case(party, 2, "TAF1", "TAF7") is case
    assert found.case(party, 1, "TAF7") is None
    book.spool.close()
