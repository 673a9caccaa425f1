"""The spool keeps what it said it has, once, also when the power goes; it drops the oldest, and says how many."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnap_town import RadioMeter
from meterway.base.errors import StoreError
from meterway.base.obis import Obis
from meterway.interfaces.mbus.events import Code, Event
from meterway.interfaces.mbus.mirror import Mirrored, Order, OrderState
from meterway.interfaces.mbus.store import Spool
from meterway.interfaces.mbus.tariff import Row

GAS = Obis(7, 0, 3, 0, 0)
METER = RadioMeter().address
HOUR = 3600

_WRITER = """
import sys
from pathlib import Path
from meterway.interfaces.mbus.store import Spool
spool = Spool(Path(sys.argv[1]))
slot = len(spool.rows(1, 0, 1e12)) * 3600
while True:
    with spool.transaction():
        spool.add([(register, slot, slot // 36, 0) for register in (1, 2, 3)])
    print(slot, flush=True)
    slot += 3600
"""


@pytest.mark.covers("E-LNAP")
def test_nothing_acknowledged_is_lost_and_nothing_doubled_when_the_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    acknowledged: list[int] = []
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged += [int(writer.stdout.readline()) for _ in range(40)]
            writer.send_signal(signal.SIGKILL)
            acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
    spool = Spool(path)
    for register in (1, 2, 3):
        slots = [row.time_s for row in spool.rows(register, 0, 1e12)]
        assert slots == sorted(set(slots))
        assert set(acknowledged) <= set(slots)
        assert slots == list(range(0, len(slots) * HOUR, HOUR))
    spool.close()


@pytest.mark.covers("E-LNAP")
def test_a_reading_that_comes_twice_is_kept_as_it_came_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    assert spool.add([(1, 0, 10, 0), (1, HOUR, 11, 0)]) == 2
    assert spool.add([(1, HOUR, 99, 0), (1, 2 * HOUR, 12, 4)]) == 1
    assert spool.rows(1, 0, 1e12) == [Row(0, 10), Row(HOUR, 11), Row(2 * HOUR, 12, 4)]
    spool.close()


@given(
    st.dictionaries(st.tuples(st.integers(1, 4), st.integers(0, 50)), st.integers(-(2**40), 2**40), max_size=60),
    st.integers(0, 55),
    st.integers(0, 55),
)
def test_a_range_gives_exactly_the_readings_of_one_register(
    rows: dict[tuple[int, int], int], first: int, last: int
) -> None:
    spool = Spool(":memory:")
    spool.add([(register, slot * HOUR, raw, 0) for (register, slot), raw in rows.items()])
    for register in range(1, 5):
        expected = [Row(s * HOUR, raw) for (r, s), raw in sorted(rows.items()) if r == register and first <= s <= last]
        assert spool.rows(register, first * HOUR, last * HOUR) == expected
    spool.close()


@pytest.mark.covers("E-LNAP")
def test_at_the_limit_the_oldest_slots_go_first_and_are_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", limit_octets=300_000)
    registers, slots = 50, 800
    lost = 0
    for slot in range(slots):
        with spool.transaction():
            spool.add([(register, slot * HOUR, slot, 0) for register in range(registers)])
            lost += spool.trim()
    kept = spool.rows(7, 0, 1e12)
    assert 0 < lost == spool.dropped
    assert len(kept) * registers == slots * registers - lost
    assert [row.raw for row in kept] == list(range(slots - len(kept), slots))
    assert spool.octets <= 300_000
    spool.close()


@pytest.mark.covers("E-LNAP")
def test_sixty_days_of_hours_of_five_hundred_meters_fit_the_stated_size(tmp_path: Path) -> None:
    """16 MiB for 720,000 readings: 22 octets each at most."""
    spool = Spool(tmp_path / "s")
    with spool.transaction():
        for hour in range(60 * 24):
            spool.add([(meter, 1_750_000_000 + hour * HOUR, 1_000_000 * meter + hour, 0) for meter in range(500)])
    assert spool.octets <= 16 << 20
    assert len(spool.rows(250, 0, 1e12)) == 1440
    spool.close()


def test_what_a_transaction_did_not_end_is_not_there(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    with pytest.raises(RuntimeError), spool.transaction():
        number, *_ = spool.register(METER, GAS, scaler=-3, unit=13)
        spool.add([(number, 0, 1, 0)])
        raise RuntimeError
    assert spool.known(METER) == {}
    assert spool.rows(number, 0, 1e12) == []
    spool.close()


def test_state_comes_back_as_it_was(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    value = Mirrored(GAS, 5, -3, 13, 100.5, None, 4)
    order = Order(number=7, channel=1, kind="valve", payload=b"x", created_s=0.0, expires_s=9.0, state=OrderState.SENT)
    with spool.transaction():
        number, *_ = spool.register(METER, GAS, scaler=-3, unit=13)
        spool.keep_meter(RadioMeter().bound(3), [b"sealed"])
        spool.keep_latest([(number, value)])
        spool.keep_orders([order])
        spool.keep_formats({1: b"heads"})
        spool.keep_counter("heard:x", 9)
        spool.keep_counter("heard:x", 5)
        spool.keep_state("thing", b"octets")
        spool.add_events([Event(1.0, Code.REPLAY, 3, "why"), Event(2.0, Code.STARTED)])
    spool.close()
    again = Spool(tmp_path / "s")
    (row,) = again.meters()
    assert (row.meter, row.channel, row.keys) == (METER, 3, [b"sealed"])
    assert again.latest(METER) == [value]
    assert again.orders() == [order]
    assert again.formats() == {1: b"heads"}
    assert again.counters("heard:") == {"x": 9}
    assert again.state("thing") == b"octets"
    assert [event.code for event in again.events()] == [Code.REPLAY, Code.STARTED]
    assert [event.detail for event in again.events(channel=3)] == ["why"]
    assert again.known(METER) == {GAS: (number, -3, 13)}
    again.close()


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError):
        Spool(path)
    with pytest.raises(StoreError):
        Spool(tmp_path / "no" / "folder")


def test_readings_at_a_cases_own_period_go_before_any_hour(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", limit_octets=300_000)
    with spool.transaction():
        spool.add([(1, hour * HOUR, hour, 0) for hour in range(100)])
        spool.add_fast((1, second, second, 0) for second in range(30_000))
        lost = spool.trim()
    assert 0 < lost == spool.dropped
    assert len(spool.rows(1, 0, 1e12)) == 100
    kept = spool.fast_rows(1, 0, 1e12)
    assert kept[-1].time_s == 29_999
    assert len(kept) == 30_000 - lost
    spool.forget_before(0, 29_990)
    assert len(spool.fast_rows(1, 0, 1e12)) == 10
    spool.close()


def test_a_file_of_the_version_before_is_brought_up(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    spool.add([(1, HOUR, 7, 0)])
    spool._db.executescript("DROP TABLE fast; DROP TABLE outbox; PRAGMA user_version = 1;")
    spool.close()
    again = Spool(tmp_path / "s")
    assert again.rows(1, 0, 1e12) == [Row(HOUR, 7)]
    assert again.fast_rows(1, 0, 1e12) == []
    assert again.to_tell() == []
    again.close()


def test_what_is_to_be_told_goes_in_order_and_the_oldest_first_at_the_limit(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    numbers = [spool.put_out(bytes((row,))) for row in range(5)]
    assert spool.to_tell(2) == [(numbers[0], b"\0"), (numbers[1], b"\1")]
    spool.was_told(numbers[0])
    assert spool.trim_outbox(2) == 2
    assert [row for _, row in spool.to_tell(9)] == [b"\3", b"\4"]
    for number, _ in spool.to_tell(9):
        spool.was_told(number)
    assert spool.put_out(b"x") > numbers[-1]
    spool.close()


def test_whole_slots_come_after_one_in_order_and_about_as_many_rows_as_wanted(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite")
    first, second = (RadioMeter(ident=f"1000000{one}").address for one in (1, 2))
    volume = Obis(7, 0, 3, 0, 0)
    numbers = [spool.register(one, volume, scaler=-3, unit=13)[0] for one in (first, second)]
    spool.add([(number, slot, slot + number, 0) for slot in (3600, 7200, 10800) for number in numbers])
    found = spool.slots_after(3600, 1)
    assert [(name, row.time_s, row.raw) for _, name, _, row in found] == [
        (str(first), 7200, 7200 + numbers[0]), (str(second), 7200, 7200 + numbers[1]),
    ]  # fmt: skip
    assert {row.time_s for *_, row in spool.slots_after(0, 100)} == {3600, 7200, 10800}
    assert spool.slots_after(10800, 100) == []
    spool.close()


def test_events_come_after_a_number_in_the_order_they_came(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite")
    spool.add_events([Event(float(one), Code.REPLAY, 1, str(one)) for one in range(5)])
    found = spool.events_after(2, 2)
    assert [(number, event.detail) for number, event in found] == [(3, "2"), (4, "3")]
    assert spool.events_after(5) == []
    spool.close()
