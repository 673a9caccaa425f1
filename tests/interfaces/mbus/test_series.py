"""Readings at a case's own period: taken as telegrams come, of the registers the case is about, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_objects import Bench
from lnap_town import ELECTRICITY, NOON, RadioMeter, hear
from meterway.base.obis import Obis
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.mirror import Mirrored
from meterway.interfaces.mbus.rules import Party
from meterway.interfaces.mbus.series import Sampler, registers_for
from meterway.interfaces.mbus.tariff import TariffCase
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.mbus.records.record import Record, make_record

IMPORT, EXPORT = Obis(1, 0, 1, 8, 0), Obis(1, 0, 2, 8, 0)
POWER, FEED_IN, VOLTAGE = Obis(1, 0, 1, 7, 0), Obis(1, 0, 2, 7, 0), Obis(1, 0, 32, 7, 0)
HEARD = (IMPORT, EXPORT, POWER, FEED_IN, VOLTAGE)


def grid(power: float, feed_in: float, volts: float) -> list[Record]:
    """What an electricity meter says beside its import: export, both powers, the voltage of phase 1."""
    return [
        make_record(b"\x83\x3c", 500.0, 4),
        make_record(b"\x2b", power, 4),
        make_record(b"\xab\x3c", feed_in, 4),
        make_record(b"\xfd\xc9\xfc\x01", volts, 2),
    ]


@pytest.mark.covers("X-14", "SEC-13")
@pytest.mark.parametrize(
    ("case", "registers"),
    [
        ("TAF9", (EXPORT, FEED_IN)),
        ("TAF10", (POWER, FEED_IN, VOLTAGE)),
        ("TAF14", (IMPORT, EXPORT, POWER, FEED_IN)),
        ("TAF7", (IMPORT, EXPORT)),
    ],
)
def test_a_case_is_about_some_registers_only(case: str, registers: tuple[Obis, ...]) -> None:
    assert registers_for(case, HEARD, (IMPORT,)) == registers
    assert registers_for(case, (Obis(8, 0, 1, 0, 0), Obis(8, 0, 2, 0, 0)), (Obis(8, 0, 1, 0, 0),)) == (
        Obis(8, 0, 1, 0, 0),
    )


def value(obis: Obis, raw: int, now: float) -> Mirrored:
    return Mirrored(obis, raw, 0, 35, now)


@pytest.mark.covers("X-14")
def test_the_first_of_each_period_is_taken_and_what_moved_by_the_deadband() -> None:
    sampler = Sampler([TariffCase(case="TAF10", party="grid", channel=1, period_s=900, deadband=5)])
    taken = [
        bool(sampler.take(1, [value(VOLTAGE, raw, NOON + second)], (), NOON + second))
        for second, raw in ((0, 230), (10, 231), (20, 236), (30, 233), (899, 232), (900, 232))
    ]
    assert taken == [True, False, True, False, False, True]
    assert not sampler.take(2, [value(VOLTAGE, 230, NOON)], (), NOON)


def with_cases(folder: Path) -> Bench:
    cases = (("feed-in", 5, "TAF9", 300), ("grid", 6, "TAF10", 900), ("fast", 7, "TAF14", 60))
    tariffs = tuple(
        TariffCase(case=case, party=name, channel=1, period_s=period, deadband=50 if case == "TAF10" else 0)
        for name, _, case, period in cases
    )
    parties = tuple(
        Party(name=name, client=client, channels=frozenset({1}), cases=(case,)) for name, client, case, _ in cases
    )
    meter = RadioMeter(kind=ELECTRICITY)
    bench = Bench(folder, meter, *grid(100, 0, 230), parties=parties, tariffs=tariffs, value=1000.0)
    bench.book = Ledger(bench.book.gateway, bench.book.spool, bench.book._vault, tariffs=tariffs)
    bench.site.ledger = bench.book
    return bench


@pytest.mark.covers("X-14", "F6a", "SEC-13")
def test_each_party_has_the_registers_and_the_pace_of_its_case(tmp_path: Path) -> None:
    bench = with_cases(tmp_path)
    for step in range(90):  # a telegram every 20 s for half an hour
        now = NOON + 3600 + step * 20
        told = grid(100, 7, 230 if step != 40 else 290)
        hear(bench.book, bench.meter.telegram(1000.0 + step, *told), now)
    bench.now = NOON + 3600 + 1800
    fast = bench.get(1, 7, "0-1:24.3.14", client=7)
    assert len(fast) == 30  # type: ignore[arg-type]
    assert [len(row) for row in fast] == [6] * 30  # type: ignore[attr-defined]
    grid_rows = bench.get(1, 7, "0-1:24.3.10", client=6)
    moments = {CosemDateTime.decode(row[0]).utc(0).timestamp() - NOON - 3600 for row in grid_rows}  # type: ignore[attr-defined, union-attr]
    assert moments == {0.0, 800.0, 820.0, 900.0}
    feed_in = bench.get(1, 7, "0-1:24.3.9", client=5)
    assert len(feed_in) == 1  # type: ignore[arg-type]
    assert bench.get(1, 7, "0-1:24.3.14", 4, client=7) == 60
    assert bench.get(1, 7, "0-1:24.3.0", client=7) == ()
    bench.close()


@pytest.mark.covers("X-14", "SEC-13")
def test_a_party_sees_the_present_value_of_its_registers_and_of_no_other(tmp_path: Path) -> None:
    bench = with_cases(tmp_path)
    shown = {
        client: [code for code in ("1-0:1.8.0", "1-0:2.8.0", "1-0:1.7.0", "1-0:2.7.0", "1-0:32.7.0")
                 if isinstance(bench.get(1, 3, code, client=client), int)]
        for client in (5, 6, 7)
    }  # fmt: skip
    assert shown == {
        5: ["1-0:2.8.0", "1-0:2.7.0"],
        6: ["1-0:1.7.0", "1-0:2.7.0", "1-0:32.7.0"],
        7: ["1-0:1.8.0", "1-0:2.8.0", "1-0:1.7.0", "1-0:2.7.0"],
    }
    assert bench.get(1, 7, "0-1:24.3.14", client=5) == "object-undefined"
    for class_id, code in ((1, "0-0:128.1.0"), (72, "0-1:24.1.0"), (18, "0-0:44.0.0")):
        assert bench.get(1, class_id, code, client=5) == "object-undefined"
    bench.close()


@pytest.mark.covers("X-14", "E-LNAP")
def test_what_a_case_took_is_there_after_a_restart_once(tmp_path: Path) -> None:
    bench = with_cases(tmp_path)
    hear(bench.book, bench.meter.telegram(1001.0, *grid(100, 0, 230)), NOON + 61)
    bench.book.flush()
    bench.book.flush()
    bench.book.spool.close()
    again = with_cases(tmp_path)
    rows = again.book.fast_rows(again.site.meter(1), IMPORT, 0, 1e12)
    assert (NOON + 61, 1001) in [(row.time_s, row.raw) for row in rows]
    assert len(rows) == len({row.time_s for row in rows})
    again.close()


def test_a_register_that_did_not_come_is_null_and_not_a_guess(tmp_path: Path) -> None:
    bench = with_cases(tmp_path)
    hear(bench.book, bench.meter.telegram(1001.0, *grid(100, 0, 230)), NOON + 60)
    hear(bench.book, bench.meter.telegram(1002.0), NOON + 120)
    bench.now = NOON + 180
    rows = bench.get(1, 7, "0-1:24.3.14", client=7)
    assert list(rows[-1][2:]) == [1002, None, None, None]  # type: ignore[index]
    bench.close()
