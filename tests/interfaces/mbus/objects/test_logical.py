"""Who may associate and what a party may do: what is not given is denied, and said in the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_objects import Bench
from lnap_town import RadioMeter
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.rules import Party
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.association import ObjectListElement
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.dlms.xdlms.results import ActionResult

READER = Party(name="reader", client=9, channels=frozenset({1}))
HOME = Party(name="home", client=1, side="home", channels=frozenset({1}), rights=Right.READ)


@pytest.mark.covers("SEC-03", "SEC-13")
def test_a_side_serves_its_own_parties_and_nobody_elses(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RadioMeter(), parties=(READER, HOME))
    assert bench.device(1).association(9) is not None
    assert bench.device(1, "home").association(1) is not None
    for channel, side, client in ((0, "wan", 9), (1, "wan", 1), (1, "home", 9), (1, "local", 9), (1, "wan", 16)):
        assert bench.device(channel, side).association(client) is None  # type: ignore[arg-type]
        assert bench.device(channel, side).security(client) is None  # type: ignore[arg-type]
    denied = [event for event in bench.book.events(None, 0, 1e12) if event.code is Code.ACCESS_DENIED]
    assert len(denied) == 5
    bench.close()


@pytest.mark.covers("SEC-03")
def test_a_reader_reads_and_does_nothing_else(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RadioMeter(), parties=(READER,))
    assert bench.get(1, 3, "7-0:3.0.0", client=9) == 12345
    assert bench.act(1, 72, "0-1:24.1.0", 5, client=9) is ActionResult.READ_WRITE_DENIED
    assert bench.set(1, 1, "0-0:97.98.0", 2, axdr.u32(0), client=9) == "read-write-denied"
    assert bench.get(1, 3, "7-0:3.0.0", client=8) == "object-unavailable"
    bench.close()


@pytest.mark.covers("SEC-03", "UC-IN-01")
def test_an_installer_binds_and_reads_nothing(tmp_path: Path) -> None:
    installer = Party(name="installer", client=5, channels=frozenset({2}), rights=Right.CONFIGURE, sees_gateway=True)
    bench = Bench(tmp_path, RadioMeter(), parties=(installer,))
    assert bench.get(0, 1, "0-0:42.0.0", client=5) == "read-write-denied"
    assert bench.get(0, 72, "0-1:24.1.0", 6, client=5) == "object-undefined"
    for place, value in ((6, axdr.u32(0x20000002)), (7, axdr.u16(0x36F9)), (8, axdr.u8(1)), (9, axdr.u8(7))):
        assert bench.set(0, 72, "0-2:24.1.0", place, value, client=5) == "success"
    assert bench.act(0, 72, "0-2:24.1.0", 1, axdr.u8(0), client=5) is ActionResult.SUCCESS
    assert bench.act(0, 72, "0-2:24.1.0", 5, client=5) is ActionResult.READ_WRITE_DENIED
    assert bench.book.gateway.channel(2).address.ident == "20000002"
    bench.close()


@pytest.mark.covers("IF-G1")
def test_the_object_list_names_what_can_be_read(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RadioMeter())
    for channel in (0, 1):
        listed = bench.get(channel, 15, "0-0:40.0.0")
        assert all(isinstance(row, ObjectListElement) for row in listed)  # type: ignore[attr-defined]
        for row in listed:  # type: ignore[attr-defined]
            for attribute in row.access.attributes:
                value = bench.get(channel, row.class_id, str(row.obis), attribute.attribute)
                assert not isinstance(value, str) or "-" not in value, (row.obis, attribute, value)
    assert bench.get(0, 64, "0-0:43.0.0", 5) == bench.site.title(0)
    bench.close()


def test_a_meter_never_heard_takes_no_association(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RadioMeter())
    bench.book.gateway.bind(RadioMeter(ident="20000002").bound(2), bench.now)
    assert bench.device(2).association(1) is None
    assert bench.device(1).association(1) is not None
    bench.close()


@pytest.mark.covers("SEC-11")
def test_an_attack_is_noticed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RadioMeter())
    bench.device(1).noticed(1, "tag", 0.0)
    bench.device(1).noticed(1, "associated", 0.0)
    assert [event.code for event in bench.book.events(1, 0, 1e12)].count(Code.ACCESS_DENIED) == 1
    bench.close()
