"""What a device tells a server engine, and what is never shown of it."""

from __future__ import annotations

import pytest

from meterway.stacks.dlms.server import Association
from meterway.stacks.dlms.xdlms.conformance import Conformance


@pytest.mark.covers("SEC-10")
def test_the_secret_of_an_association_is_never_shown() -> None:
    association = Association(client=2, mechanism=1, conformance=Conformance.GET, secret=b"password", control=0x30)
    assert repr(association) == "Association(client=2, mechanism=1, control=0x30)"
