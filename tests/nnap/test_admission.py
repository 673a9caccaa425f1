"""Who may join, as the head end orders it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError, DecodeError
from meterway.nnap.admission import Admission
from nnap_network import Network

KEY = bytes(range(16))


@given(
    st.binary(min_size=8, max_size=8), st.booleans(), st.text("AB01", max_size=9), st.sampled_from([b"", bytes(8)]),
    st.sampled_from(["meter", "supervision", "gateway", "nnap", "home"]), st.sampled_from([b"", KEY]),
)  # fmt: skip
def test_an_admission_comes_back_as_it_went(eui, listed, serial, title, role, key):
    one = Admission(eui=eui, listed=listed, serial=serial, title=title, role=role, key=key, guek=key, gak=key)
    assert Admission.decode(one.encode()) == one


@given(st.binary(max_size=80), st.integers(0, 100))
def test_anything_else_is_refused(junk, place):
    whole = Admission(eui=bytes(8), listed=True, serial="A").encode()
    for octets in (junk, whole[:place] + junk):
        try:
            found = Admission.decode(octets)
        except DecodeError:
            continue
        assert found.encode() == octets


def test_the_white_list_follows_and_keys_are_not_shown():
    network = Network(meters=1)
    one = Admission(eui=b"GATEWAY1", listed=True, serial="G1", role="gateway", key=KEY)
    one.carry_out(network.concentrator, network.ledger, 0.0)
    node = network.ledger.roll.nodes[b"GATEWAY1"]
    assert (node.serial, node.channel, node.role, node.key) == ("G1", 2, "gateway", KEY)
    assert KEY.hex() not in repr(one)
    with pytest.raises(ConfigError):
        one.carry_out(network.concentrator, network.ledger, 0.0)
    Admission(eui=b"GATEWAY1", listed=False).carry_out(network.concentrator, network.ledger, 0.0)
    assert b"GATEWAY1" not in network.ledger.roll.nodes
    with pytest.raises(ConfigError):
        Admission(eui=b"GATEWAY1", listed=True).carry_out(network.concentrator, network.ledger, 0.0)
