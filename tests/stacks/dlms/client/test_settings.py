"""What a client brings to an association, and what is never shown of it."""

from __future__ import annotations

import pytest

from meterway.stacks.dlms.client import ClientSettings
from meterway.stacks.dlms.client.settings import DEFAULT_CONFORMANCE
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.xdlms.conformance import Conformance


@pytest.mark.covers("SEC-10")
def test_secrets_and_keys_are_never_shown() -> None:
    settings = ClientSettings(mechanism=5, control=0x30, secret=b"password", keys=Keys(b"k" * 16, b"a" * 16))
    assert repr(settings) == "ClientSettings(mechanism=5, control=0x30)"


@pytest.mark.covers("IF-I")
def test_no_service_is_proposed_that_the_client_lacks() -> None:
    for lacking in (Conformance.ACCESS, Conformance.READ, Conformance.WRITE, Conformance.GENERAL_BLOCK_TRANSFER):
        assert lacking not in DEFAULT_CONFORMANCE
