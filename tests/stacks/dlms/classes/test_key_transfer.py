"""Transferred keys are taken all together or not at all."""

from __future__ import annotations

import pytest

from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.key_transfer import key_transfers, unwrapped_keys
from meterway.stacks.dlms.classes.security_setup import KeyTransfer
from meterway.stacks.dlms.security.keys import wrap_key

MASTER = b"k" * 16
NAMES = {0: "guek", 2: "gak"}


def wrapped(**keys: bytes) -> list[KeyTransfer]:
    ids = {"guek": 0, "gbek": 1, "gak": 2}
    return [KeyTransfer(key_id=ids[name], wrapped=wrap_key(MASTER, key)) for name, key in keys.items()]


def test_the_parameter_is_an_array_of_entries() -> None:
    entries = wrapped(guek=b"1" * 16, gak=b"2" * 16)
    parameter = interface_class(64, 0).method(2).type.untyped(entries)
    assert key_transfers(parameter) == tuple(entries)
    for wrong in (axdr.null(), axdr.array(), axdr.array(axdr.u8(1)), axdr.octets(b"key")):
        assert key_transfers(wrong) is None


@pytest.mark.covers("SEC-05")
def test_keys_are_all_taken_or_none() -> None:
    fresh = {"guek": b"1" * 16, "gak": b"2" * 16}
    assert unwrapped_keys(MASTER, wrapped(**fresh), NAMES) == fresh
    stranger = KeyTransfer(key_id=2, wrapped=wrap_key(b"x" * 16, b"2" * 16))
    assert unwrapped_keys(MASTER, [*wrapped(guek=b"1" * 16), stranger], NAMES) is None
    assert unwrapped_keys(MASTER, wrapped(gbek=b"1" * 16), NAMES) is None
    assert unwrapped_keys(MASTER, wrapped(guek=b"1" * 24), NAMES) is None
    assert unwrapped_keys(MASTER, [KeyTransfer(key_id=0, wrapped=b"short")], NAMES) is None
    assert unwrapped_keys(MASTER, [], NAMES) is None
