"""A push says which device and its alarms, in the order its push setup lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_objects import Bench
from lnap_town import NOON, RadioMeter
from meterway.base.obis import Obis
from meterway.lnap.objects import push_notification
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.xdlms.notification import DataNotification


@pytest.mark.covers("F3a")
def test_a_push_is_what_its_setup_lists(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RadioMeter())
    bench.site.alarms[1] = 5
    apdu = decode_apdu(push_notification(bench.site, 1, invoke=3, now=NOON))
    assert isinstance(apdu, DataNotification)
    said = axdr.native(axdr.decode_all(apdu.body))
    listed = bench.get(1, 40, "0-4:25.9.0")
    assert [entry.obis for entry in listed] == [Obis(0, 4, 25, 9, 0), Obis(0, 0, 42, 0, 0), Obis(0, 0, 97, 98, 0)]  # type: ignore[attr-defined]
    assert said == [Obis(0, 4, 25, 9, 0).encode(), bench.get(1, 1, "0-0:42.0.0"), 5]
    bench.close()
