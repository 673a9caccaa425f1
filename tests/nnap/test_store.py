"""The store keeps what it said it has, once, also when the power goes at any moment."""

import random
import signal
import subprocess
import sys

import pytest

from meterway.base.errors import StoreError
from meterway.base.obis import Obis
from meterway.nnap.events import Code, Event
from meterway.nnap.node import Cached
from meterway.nnap.rows import Row
from meterway.nnap.store import Store
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor

LOAD = Obis(1, 0, 99, 1, 0)
NAME = AttributeDescriptor(1, Obis(0, 0, 42, 0, 0), 2)

_WRITER = """
import sys, random
from pathlib import Path
from meterway.base.obis import Obis
from meterway.nnap.rows import Row
from meterway.nnap.store import Store
store, load = Store(Path(sys.argv[1])), Obis(1, 0, 99, 1, 0)
draw = random.Random(int(sys.argv[2]))
slot = max((row.time_s for row in store.rows(1, load)), default=-900) + 900
while True:
    count = draw.randint(1, 5)
    rows = [Row(slot + 900 * n, (slot + 900 * n).to_bytes(8, "big")) for n in range(count)]
    again = store.rows(1, load, slot - 1800, slot)
    with store.transaction():
        store.add_rows(1, load, again + rows)
        store.keep_series(1, load, period_s=900, columns=b"", upto_s=rows[-1].time_s)
        if draw.random() < 0.3:
            found = store.rows_after(store.counter("reported"), 1000)
            store.add_report(f"report-{found[-1].number:08d}", b"".join(row.octets for row in found))
            store.keep_counter("reported", found[-1].number)
    print(rows[-1].time_s, flush=True)
    slot += 900 * count
"""


@pytest.mark.covers("E-NNAP", "E-NNAP-3")
def test_nothing_acknowledged_is_lost_and_nothing_doubled_when_the_writer_is_killed(tmp_path):
    """Rows, the mark up to which a profile is whole, and what went into reports, killed at random moments."""
    path, draw, acknowledged = tmp_path / "store.sqlite", random.Random(7), -1
    for attempt in range(5):
        command = [sys.executable, "-c", _WRITER, str(path), str(attempt)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            for _ in range(draw.randint(5, 40)):
                acknowledged = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *(int(line) for line in writer.stdout if line.endswith("\n"))])
    store = Store(path)
    rows = store.rows(1, LOAD)
    assert [row.time_s for row in rows] == list(range(0, rows[-1].time_s + 900, 900))
    assert rows[-1].time_s >= acknowledged
    assert store.series()[0][4] == rows[-1].time_s
    reported = b"".join(report.octets for report in store.reports(limit=100_000))
    count = len(reported) // 8
    assert count > 0
    assert reported == b"".join(row.octets for row in rows[:count])
    waiting = store.rows_after(store.counter("reported"), 10_000_000)
    assert [row.octets for row in waiting] == [row.octets for row in rows[count:]]
    store.close()


def test_a_row_that_comes_twice_is_kept_once_and_a_different_one_beside_it():
    store = Store(":memory:")
    assert store.add_rows(1, LOAD, [Row(900, b"a"), Row(1800, b"b")]) == 2
    assert store.add_rows(1, LOAD, [Row(1800, b"b"), Row(1800, b"c")]) == 1
    assert store.rows(1, LOAD) == [Row(900, b"a"), Row(1800, b"b"), Row(1800, b"c")]
    assert store.rows(1, LOAD, 1000, 1799.5) == []
    assert store.rows(2, LOAD) == []
    assert store.count_rows(1, LOAD) == 3
    assert [row.octets for row in store.rows_after(1, 10)] == [b"b", b"c"]
    assert store.forget_before(1800) == 1


def test_a_broken_transaction_leaves_nothing():
    store = Store(":memory:")
    with pytest.raises(StoreError, match="refuses"), store.transaction():
        store.add_rows(1, LOAD, [Row(900, b"a")])
        store.add_report("report-1", b"x")
        store.add_report("report-1", b"x")
    assert store.rows(1, LOAD) == []
    assert store.reports() == []


def test_nodes_keep_their_number_and_counters_only_rise(tmp_path):
    store = Store(tmp_path / "s")
    number = store.keep_node(b"12345678", b"row")
    store.unlist_node(b"12345678", b"gone")
    assert store.nodes() == []
    assert store.node_names() == {number: b"gone"}
    assert store.keep_node(b"12345678", b"back") == number
    store.keep_counter("sent", 10)
    store.keep_counter("sent", 5)
    assert store.counter("sent") == 10
    assert store.counters("se") == {"nt": 10}
    store.copy_to(tmp_path / "copy")
    assert Store(tmp_path / "copy").nodes() == [(number, b"back")]


def test_attributes_events_reports_and_state():
    store = Store(":memory:")
    store.keep_attributes(1, [(NAME, Cached(b"\x09\x01a", 5.0))])
    store.keep_attributes(1, [(NAME, Cached(b"\x09\x01b", 6.0))])
    assert store.attribute(1, NAME) == Cached(b"\x09\x01b", 6.0)
    assert store.attribute(2, NAME) is None
    assert store.attributes(1) == [NAME]
    store.add_events([Event(1.0, Code.NODE_JOINED, "M1"), Event(2.0, Code.NODE_SILENT, "M1")])
    assert [event.code for event in store.events(security=True)] == [Code.NODE_JOINED]
    assert [event.code for event in store.events(security=False)] == [Code.NODE_SILENT]
    assert [number for number, _ in store.events_after(1)] == [2]
    store.add_report("report-1", b"x")
    assert store.drop_report("report-1")
    assert not store.drop_report("report-1")
    store.keep_state("x", b"y")
    assert (store.state("x"), store.state("z")) == (b"y", b"")


def test_a_newer_or_foreign_file_is_refused(tmp_path):
    store = Store(tmp_path / "s")
    store._db.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(StoreError, match="newer"):
        Store(tmp_path / "s")
    (tmp_path / "t").write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with pytest.raises(StoreError):
        Store(tmp_path / "t")
