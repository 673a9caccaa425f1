"""Invocation counters outlive the process and never come twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_town import RadioMeter, ledger, site
from meterway.lnap.counters import DlmsCounters


@pytest.mark.covers("SEC-04")
def test_counters_go_on_after_a_crash(tmp_path: Path) -> None:
    book = ledger(tmp_path, RadioMeter().bound())
    found = site(book)
    counters, party = DlmsCounters(book.spool, found), found.parties[0]
    used = [counters.sending(party, 1).take() for _ in range(5)]
    counters.receiving(party, 1).last = 77
    counters.save()
    book.spool.close()
    book = ledger(tmp_path)
    again = DlmsCounters(book.spool, site(book))
    assert again.sending(party, 1).take() > max(used)
    assert again.sending(party, 0).take() == 0
    assert again.receiving(party, 1).last == 77
    book.spool.close()
