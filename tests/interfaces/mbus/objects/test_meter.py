"""A meter's logical device shows its registers, their age and their history, to each party its own way."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lnap_objects import Bench
from lnap_town import HEAT, NOON, RadioMeter, hear
from meterway.interfaces.mbus.rules import Party
from meterway.interfaces.mbus.tariff import Stage, TariffCase
from meterway.stacks.dlms.classes.elements import ScalerUnit
from meterway.stacks.mbus.records.record import make_record


@pytest.mark.covers("IF-G1", "F1a")
def test_registers_have_the_codes_of_their_medium_with_time_and_quality(tmp_path: Path) -> None:
    when = datetime.fromtimestamp(NOON - 120, UTC).replace(tzinfo=None)
    bench = Bench(
        tmp_path, RadioMeter(kind=HEAT), make_record(b"\x14", 3.5, 4), make_record(b"\x6d", when, 4), value=5e6
    )
    assert bench.get(1, 3, "6-0:1.0.0") == 5000
    assert bench.get(1, 3, "6-0:1.0.0", 3) == ScalerUnit(scaler=3, unit=30)
    assert bench.get(1, 3, "6-0:2.0.0", 3) == ScalerUnit(scaler=-2, unit=13)
    assert bench.get(1, 4, "0-1:24.2.2") == 350
    assert bench.get(1, 4, "0-1:24.2.1", 5).utc(0).timestamp() == NOON - 120  # type: ignore[attr-defined]
    assert bench.get(0, 4, "0-1:24.2.1", 2) == 5000
    assert bench.get(1, 3, "0-0:128.0.0") == 60
    assert bench.get(1, 3, "7-0:3.0.0") == "object-undefined"
    bench.close()


@pytest.mark.covers("IF-G1")
def test_orders_are_listed_with_what_came_of_them(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RadioMeter())
    bench.book.gateway.order(1, "clock", b"x", now=NOON, valid_s=10, detail="now")
    bench.book.gateway.expire(NOON + 11)
    (row,) = bench.get(1, 1, "0-0:128.1.0")  # type: ignore[misc]
    assert (row[1], row[2]) == (b"clock", 4)
    bench.close()


@pytest.mark.covers("X-14", "SEC-13")
def test_a_party_with_tariffs_gets_what_they_let_out(tmp_path: Path) -> None:
    parties = tuple(
        Party(name=name, client=client, channels=frozenset({1}), cases=(case,))
        for name, client, case in (("sparing", 5, "TAF1"), ("series", 6, "TAF7"), ("staged", 7, "TAF2"))
    )
    tariffs = (
        TariffCase(case="TAF1", party="sparing", channel=1),
        TariffCase(case="TAF7", party="series", channel=1, period_s=7200),
        TariffCase(case="TAF2", party="staged", channel=1, stages=(Stage(number=1),)),
    )
    bench = Bench(tmp_path, RadioMeter(), parties=parties, tariffs=tariffs, value=1.0)
    bench.book._tariffs = tariffs[2:]
    bench.book.capture(NOON + 1)
    for hour in range(1, 7):
        bench.book.capture(NOON + hour * 3600)
        hear(bench.book, bench.meter.telegram(1.0 + hour), NOON + hour * 3600 + 60)
    bench.now = NOON + 7 * 3600
    assert bench.get(1, 7, "0-1:24.3.0", client=5) == ()
    assert bench.get(1, 3, "7-0:3.0.0", client=5) == "read-write-denied"
    series = bench.get(1, 7, "0-1:24.3.0", client=6)
    assert len(series) == 2  # type: ignore[arg-type]
    assert bench.get(1, 3, "7-0:3.0.0", client=6) == 7000
    assert bench.get(1, 3, "7-0:3.0.1", client=7) == 5000
    assert bench.get(1, 3, "7-0:3.0.63", client=7) == 0
    bench.close()
