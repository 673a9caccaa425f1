"""A concentrator that hears is killed at random moments: what it had written stays, what it reported is never twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from lnap_town import NOON, RadioMeter
from meterway.model.report import Report
from nnap_radio import Mast, settings

TELEGRAM_S = 600
SERIAL = "MWY-10000001-01-03"

_CHILD = """
import os, random, sys
from pathlib import Path
import msgspec
sys.path.insert(0, sys.argv[4])
from lnap_town import NOON, RadioMeter
from meterway.nnap.reports import Reporter
from nnap_radio import Mast, settings
folder, number, draw = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
meter = RadioMeter(counter=number - 1)
mast = Mast(settings(folder, meter), now=NOON + 600 * number)
taken = open(folder / "taken.jsonl", "ab", buffering=0)
while True:
    mast.now = NOON + 600 * number
    mast.nnap.tick()
    mast.now += 60
    mast.hear(meter, float(number))
    print("heard", number, flush=True)
    if draw.random() < 0.3:
        reporter = Reporter(mast.nnap.site, compression="none")
        while reporter.build(mast.now):
            pass
        for kept in mast.nnap.store.reports():
            taken.write(kept.octets + b"\\n")  # the head end has it on its disk
            os.fsync(taken.fileno())
            if draw.random() < 0.8:  # or the acknowledgement is lost, and it comes again
                mast.nnap.store.drop_report(kept.id)
    number += 1
"""


@pytest.mark.covers("E-NNAP", "IF-C", "IF-G2", "X-27")
def test_what_was_heard_is_reported_once_whenever_the_process_is_killed(tmp_path: Path) -> None:
    draw, number, heard = random.Random(11), 1, set[int]()
    for attempt in range(4):
        command = [
            sys.executable,
            "-c",
            _CHILD,
            str(tmp_path),
            str(number),
            str(attempt),
            str(Path(__file__).parents[1]),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(draw.randint(3, 40)):
                heard.add(int(child.stdout.readline().split()[1]))
            child.send_signal(signal.SIGKILL)
            heard |= {int(line.split()[1]) for line in child.stdout if line.endswith("\n")}
        number = max(heard) + 2 + draw.randint(0, 20)
    mast = Mast(settings(tmp_path, RadioMeter()), now=NOON + TELEGRAM_S * number + 7200)
    reports = _taken(tmp_path)
    while (last := mast.report()) is not None:
        reports[last.id] = last
    _judge(reports, heard)
    mast.kill()


def _taken(folder: Path) -> dict[str, Report]:
    """What the head end took, by id: the same id again is the same report."""
    found: dict[str, Report] = {}
    for line in (folder / "taken.jsonl").read_bytes().splitlines():
        report = msgspec.json.decode(line, type=Report)
        assert found.setdefault(report.id, report) == report
    return found


def _judge(reports: dict[str, Report], heard: set[int]) -> None:
    rows = [
        (at, value)
        for report in reports.values()
        for series in report.meters
        for at, value in zip(series.times, series.values[0], strict=True)
    ]
    slots = dict(rows)
    assert len(slots) == len(rows), "a slot was reported twice"
    for at, value in rows:
        number = int(str(value)) // 1000
        assert NOON + TELEGRAM_S * number + 60 <= at, "a value from after its slot"
        sure = max((one for one in heard if NOON + TELEGRAM_S * one + 60 <= at), default=0)
        assert sure <= number, "a telegram that was written was lost"
    wanted = {int((NOON + TELEGRAM_S * one + 60) // 3600 + 1) * 3600 for one in heard}
    assert wanted <= set(slots), sorted(wanted - set(slots))
    assert len(heard) > 30
