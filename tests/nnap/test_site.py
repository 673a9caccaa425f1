"""What a concentrator is besides its nodes."""

import pytest

from meterway.base.errors import ConfigError
from meterway.mapping.neighbourhood import NodeState
from meterway.nnap.node import Proposal
from meterway.nnap.orders import GroupOrders
from meterway.nnap.site import Party, Site, title_of
from meterway.stacks.dlms.tabled import Right
from nnap_network import START, Network


def site(network, parties=()):
    return Site(
        serial="NNAP0001", flag="MWY", ledger=network.ledger, concentrator=network.concentrator,
        orders=GroupOrders(network.concentrator.station), parties=parties, firmware="1",
    )  # fmt: skip


def test_the_node_table_tells_members_away_proposed_and_cascades():
    network = Network(meters=3, hops=2).start()
    network.run(120)
    one = site(network)
    network.node(2).member = None
    network.node(3).role = "nnap"
    network.concentrator.proposals[b"STRANGER"] = Proposal(eui=b"STRANGER", first_s=START, last_s=START)
    rows = one.node_rows()
    assert [row.state for row in rows] == [
        NodeState.MEMBER, NodeState.AWAY, NodeState.CASCADE, NodeState.PROPOSED,
    ]  # fmt: skip
    assert [row.sap for row in rows] == [2, 3, 0, 0]
    assert rows[0].hops == 1
    assert rows[0].quality == 100
    assert rows[0].joined >= START


def test_names_titles_and_keys_are_of_each_logical_device_alone():
    network = Network(meters=2)
    party = Party(name="o", client=1, secret=bytes(16), rights=Right.READ)
    one = site(network, (party,))
    assert (one.name(0), one.name(1)) == ("NNAP0001", "M00001")
    assert len({one.title(0), one.title(1), one.title(2), network.node(1).title}) == 4
    assert one.title(0) == title_of("MWY", "NNAP0001")
    assert len({one.keys(party, channel).encryption for channel in range(3)}) == 3
    assert one.party(1) is party
    assert one.party(2) is None
    assert not party.may(Right.CONFIGURE)
    assert "secret" not in repr(party)
    with pytest.raises(ConfigError):
        one.node(9)
    with pytest.raises(ConfigError, match="16"):
        Party(name="o", client=1, secret=b"short")
