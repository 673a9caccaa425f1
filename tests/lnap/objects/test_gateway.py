"""The gateway's own logical device: diagnostics, installation, firmware."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from lnap_objects import Bench
from lnap_town import NOON, RadioMeter, hear
from meterway.lnap.events import Code
from meterway.lnap.objects.gateway import DIAGNOSTICS, image_signature
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.xdlms.results import ActionResult

OK = ActionResult.SUCCESS
IMAGE = "0-0:44.0.0"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, RadioMeter())


@pytest.mark.covers("IF-G1", "F3a")
def test_diagnostics_count_what_became_of_telegrams(bench: Bench) -> None:
    hear(bench.book, RadioMeter(ident="99999999").telegram(1), NOON)
    shown = {name: bench.get(0, 3, f"0-0:128.2.{place}") for place, name in enumerate(DIAGNOSTICS, 1)}
    assert (shown["stored"], shown["foreign"], shown["meters"], shown["silent"]) == (1, 1, 1, 0)
    assert shown["spool octets"] > 0  # type: ignore[operator]
    bench.close()


@pytest.mark.covers("UC-IN-01")
def test_installation_mode_is_begun_and_proposals_are_seen_and_rejected(bench: Bench) -> None:
    water = RadioMeter(kind=0x07, ident="20000002", control=0x46)
    assert bench.set(0, 1, "0-0:128.3.0", 2, axdr.u32(600)) == "success"
    assert bench.get(0, 1, "0-0:128.3.0") == 600
    hear(bench.book, water.telegram(1), NOON + 60)
    (row,) = bench.get(0, 1, "0-0:128.4.0")  # type: ignore[misc]
    assert row[0] == b"MWY-20000002-01-07"
    octets = axdr.octets(water.address.to_radio())
    assert bench.set(0, 1, "0-0:128.4.0", 2, octets) == "success"
    assert bench.set(0, 1, "0-0:128.4.0", 2, octets) == "object-unavailable"
    bench.close()


@pytest.mark.covers("UC-IN-05")
def test_new_firmware_is_taken_whole_and_undamaged_or_not_at_all(bench: Bench) -> None:
    body = b"new firmware" * 100
    image = body + hashlib.sha256(body).digest()
    assert image_signature(image) is not None
    assert image_signature(image[:-1] + b"\0") is None
    begin = axdr.structure(axdr.octets(b"MWY-LNAP-2"), axdr.u32(len(image)))
    assert bench.act(0, 18, IMAGE, 1, begin) is OK
    for number in range(0, -(-len(image) // 512)):
        block = axdr.structure(axdr.u32(number), axdr.octets(image[number * 512 : number * 512 + 512]))
        assert bench.act(0, 18, IMAGE, 2, block) is OK
    assert bench.act(0, 18, IMAGE, 3) is OK
    assert bench.act(0, 18, IMAGE, 4) is OK
    assert bench.get(0, 1, "1-0:0.2.0") == b"MWY-LNAP-2"
    assert bench.book.spool.state("firmware") == b"MWY-LNAP-2"
    found = [event.code for event in bench.book.events(0, 0, 1e12)]
    assert found[-2:] == [Code.FIRMWARE_READY, Code.FIRMWARE_ACTIVATED]
    bench.close()


def test_the_logical_devices_are_listed(bench: Bench) -> None:
    rows = bench.get(0, 17, "0-0:41.0.0")
    assert len(rows) == 2  # type: ignore[arg-type]
    bench.close()
