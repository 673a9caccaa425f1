"""The gateway shows itself where an access point alone shows nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_objects import Bench
from lnap_town import RadioMeter
from meterway.base.obis import Obis
from meterway.interfaces.mbus.objects.logical import LogicalSite as Bare
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.dlms.xdlms.results import DataAccessResult
from meterway.store.party_counters import PartyCounters


@pytest.mark.covers("IF-G1")
def test_logical_device_one_is_the_gateway(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RadioMeter())
    serial = AttributeDescriptor(1, Obis(0, 0, 96, 1, 0), 2)
    assert bench.get(0, 1, "0-0:96.1.0") == bench.site.serial.encode()
    counters = PartyCounters(bench.book.spool, bench.site)
    bare = Bare(bench.site, 0, side="wan", counters=counters, unix=lambda: bench.now)
    assert bare.get(1, serial, None, 0.0) is DataAccessResult.OBJECT_UNDEFINED
    bench.close()
