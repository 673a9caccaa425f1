"""The keys of a party, worked out by hand."""

import hashlib
import hmac

import pytest

from meterway.mapping.party_keys import device_name, party_keys


@pytest.mark.covers("SEC-05")
def test_the_keys_are_those_of_the_written_rule() -> None:
    secret = bytes(range(16))
    keys = party_keys(secret, "operator", device_name("L1", "MWY-10000001-01-03"))
    told = hmac.new(secret, b"guek|operator|L1|MWY-10000001-01-03", hashlib.sha256).digest()
    assert keys["guek"] == told[:16]
    assert keys["gak"] != keys["guek"]
