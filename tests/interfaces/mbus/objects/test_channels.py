"""What shows the meters as a whole: diagnostics, installation mode, proposals, the list of meters."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_objects import Bench
from lnap_town import NOON, RadioMeter, hear
from meterway.interfaces.mbus.objects.channels import DIAGNOSTICS
from meterway.stacks.dlms import axdr


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


def test_the_meters_are_listed_by_channel_as_far_as_the_party_may_read_them(bench: Bench) -> None:
    address = bench.meter.address.to_radio()
    assert bench.get(0, 1, "0-0:128.4.1") == [[1, address]]
    bench.close()
