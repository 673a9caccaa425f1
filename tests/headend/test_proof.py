"""A concentrator that lists a meter must let it answer; one that cannot does not get it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from headend.nnap_double import Double, meter
from headend.test_far import meet
from meterway.headend.serve import HeadEnd

pytestmark = pytest.mark.covers("SEC-03", "IF-G2")


def test_a_meter_moves_when_it_has_answered_through_the_other_one(tmp_path: Path) -> None:
    one, two = Double("N1", meter("M1")), Double("N2")

    async def work(head: HeadEnd) -> None:
        await head.collect_now("N1")
        two.members = one.members
        two.nnap.nodes = [replace(one.nnap.nodes[0], joined=one.nnap.nodes[0].joined + 30)]
        await head.collect_now("N2")
        assert parent_of(head) == "N1"
        await head.prover.prove()
        assert parent_of(head) == "N2"
        assert two.prefixed > 0
        assert (await head.collect_now("M1"))["cause"] == "ok"

    meet(tmp_path, work, one, two)


def test_a_rogue_concentrator_does_not_get_a_meter_and_its_owner_is_read_on(tmp_path: Path) -> None:
    """It has another meter answer in its place."""
    one, rogue = Double("N1", meter("M1")), Double("N2", meter("M2"))

    async def work(head: HeadEnd) -> None:
        await head.collect_now("N1")
        theirs, own = one.nnap.nodes[0], rogue.nnap.nodes[0]
        rogue.nnap.nodes = [replace(theirs, eui=own.eui, joined=theirs.joined + 30)]
        await head.collect_now("N2")
        await head.prover.prove()
        assert parent_of(head) == "N1"
        meter_id = head.store.devices.by_serial("M1").id
        assert "claimed by N2, through which it does not answer" in [
            event.detail for event in head.store.events.of_device(meter_id)
        ]
        assert (await head.collect_now("M1"))["cause"] == "ok"
        rogue_only = rogue.prefixed
        await head.prover.prove()
        assert rogue.prefixed == rogue_only, "the next try is later"

    meet(tmp_path, work, one, rogue)


def parent_of(head: HeadEnd) -> str:
    return head.store.devices.get(head.store.devices.by_serial("M1").parent or 0).serial
