"""Claims wait for their proof: once each, ever more rarely, gone with the listing."""

from __future__ import annotations

from typing import Any

import pytest

from meterway.headend.claims import Claims
from meterway.store.nodes import Node

pytestmark = pytest.mark.covers("SEC-03")


def node(device: int = 1, nnap: int = 9, **given: Any) -> Node:
    return Node(device=device, nnap=nnap, eui=b"MWYEUI%02d" % device, **given)


def test_a_claim_is_new_once_and_follows_what_is_listed() -> None:
    claims = Claims()
    assert claims.note(node())
    assert not claims.note(node(hops=3))
    (claim,) = claims.due(0.0)
    assert (claim.node.hops, claim.who) == (3, (1, 9))


def test_what_fails_is_tried_ever_more_rarely() -> None:
    claims = Claims()
    claims.note(node())
    (claim,) = claims.due(0.0)
    waits = []
    for turn in range(12):
        assert claims.failed(claim, 0.0) == (turn == 0)
        waits.append(claim.due_s)
        assert claims.due(claim.due_s - 1) == []
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (60.0, 21_600.0)


def test_claims_end_by_themselves_and_there_are_not_too_many() -> None:
    claims = Claims()
    for device in range(1, 10_050):
        claims.note(node(device))
    assert len(claims.due(0.0)) == 10_000
    claims.note(node(1, nnap=8))
    claims.keep_only(9, {b"MWYEUI02"})
    (claim,) = claims.due(0.0)
    assert claim.node.device == 2
    claims.drop(claim)
    assert claims.due(0.0) == []
