"""Security policies are read by the coding of their version and only grow."""

from __future__ import annotations

import pytest

from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.security_setup import KeyId, KeyTransfer, Policy, policy_may_become, policy_of

BOTH = (
    Policy.AUTHENTICATED_REQUEST | Policy.ENCRYPTED_REQUEST | Policy.AUTHENTICATED_RESPONSE | Policy.ENCRYPTED_RESPONSE
)


@pytest.mark.covers("SEC-04")
def test_version_0_counts_and_version_1_has_bits():
    assert [policy_of(value, 0) for value in (0, 3)] == [Policy.NOTHING, BOTH]
    assert policy_of(1, 0) == Policy.AUTHENTICATED_REQUEST | Policy.AUTHENTICATED_RESPONSE
    assert policy_of(0x6C, 1) == BOTH
    assert policy_of(4, 0) is None
    assert policy_of(3, 1) is None


def test_a_policy_is_only_strengthened():
    assert policy_may_become(Policy.AUTHENTICATED_REQUEST, BOTH)
    assert not policy_may_become(BOTH, Policy.AUTHENTICATED_REQUEST)


@pytest.mark.covers("UC-IN-04")
def test_a_key_transfer_has_the_octets_of_the_norm():
    kind = interface_class(64, 0).method("global_key_transfer").type
    data = kind.untyped([KeyTransfer(key_id=KeyId.AUTHENTICATION, wrapped=bytes(24))])
    assert axdr.encode(data).hex() == "010102021602" + "0918" + "00" * 24
    assert kind.typed(data, []) == (KeyTransfer(key_id=KeyId.AUTHENTICATION, wrapped=bytes(24)),)
