"""Nodes of a report as rows of the node table."""

from __future__ import annotations

import pytest

from headend.reports import node, report, title
from meterway.base.errors import DecodeError
from meterway.headend.bulk_topology import rows_of
from meterway.mapping.neighbourhood import NodeRole, NodeState

pytestmark = pytest.mark.covers("IF-G2")


def test_a_title_of_zeros_is_one_that_is_not_known() -> None:
    found = rows_of(report("t", topology=[node(1, system_title="0" * 16)]), {})
    assert found[0].system_title == b""


def test_every_word_of_a_node_is_kept_and_its_mirror_is_what_was_known() -> None:
    given = report("one", topology=[node(1, parent=title(2), hops=3, quality=70, state="away"), node(2)])
    first, second = rows_of(given, {bytes.fromhex(title(1)): 18})
    assert (first.serial, first.eui, first.parent) == ("M1", bytes.fromhex(title(1)), bytes.fromhex(title(2)))
    assert (first.state, first.hops, first.quality, first.joined, first.sap) == (NodeState.AWAY, 3, 70, 1000, 18)
    assert (second.parent, second.sap, second.role, second.name) == (b"", 0, NodeRole.METER, b"")


def test_what_a_node_is_and_calls_itself_is_kept() -> None:
    (found,) = rows_of(report("one", topology=[node(1, role="home", name=b"MWYH-1".hex())]), {})
    assert (found.role, found.name) == (NodeRole.HOME, b"MWYH-1")


@pytest.mark.parametrize("parent", ["xyz", "0011"])
def test_a_parent_that_is_no_eui_is_named(parent: str) -> None:
    with pytest.raises(DecodeError, match=r"topology\[0\].parent"):
        rows_of(report("one", topology=[node(1, parent=parent)]), {})
