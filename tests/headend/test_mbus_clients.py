"""What a gateway's M-Bus clients are asked and told, octet by octet."""

from __future__ import annotations

import pytest

from headend.headends import play
from meterway.base.errors import ConfigError
from meterway.headend.collect import CLOCK_TIME, Collected
from meterway.headend.commands import Command
from meterway.headend.layout import Behind
from meterway.headend.mbus_clients import client_of, couple, decouple, list_behind, transfer_key, with_behind
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client.script import Act, Get, Script, Set
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult
from meterway.stacks.mbus.address import Address

GAS = Address.parse("MWY-10000001-01-03")
WATER = Address.parse("MWY-10000002-01-07")
CLIENT = Command(obis=client_of(2), class_id=72)
DONE = ActionOutcome(ActionResult.SUCCESS)


def behind(address: Address, channel: int) -> Behind:
    return Behind(channel=channel, sap=channel + 1, address=address)


def saps(*numbers: int) -> bytes:
    return axdr.encode(axdr.array(*[axdr.structure(axdr.u16(sap), axdr.octets(b"x")) for sap in numbers]))


def identity(address: Address) -> list[bytes]:
    values = (axdr.u32(int(address.ident, 16)), axdr.u16(address.manufacturer), axdr.u8(address.version))
    return [axdr.encode(value) for value in (*values, axdr.u8(address.device_type))]


@pytest.mark.covers("IF-G1")
def test_the_list_of_a_gateway_names_each_meter_by_its_address() -> None:
    asked, found = play(list_behind(), saps(1, 2, 4), tuple(identity(GAS) + identity(WATER)))
    assert isinstance(asked[0], Get)
    assert found == (behind(GAS, 1), behind(WATER, 3))


def test_a_gateway_with_nothing_behind_lists_nothing() -> None:
    assert play(list_behind(), saps(1))[1] == ()


@pytest.mark.parametrize("missing", [0, 3, 5])
def test_a_list_with_a_gap_is_no_list_because_nobody_is_to_be_decoupled_by_it(missing: int) -> None:
    answers: list[object] = [*identity(GAS), *identity(WATER)]
    answers[missing] = DataAccessResult.HARDWARE_FAULT
    assert play(list_behind(), saps(1, 2, 4), tuple(answers))[1] is None
    assert play(list_behind(), DataAccessResult.OBJECT_UNDEFINED)[1] is None
    assert play(list_behind(), b"\x09")[1] is None


def listed(*rows: tuple[int, bytes]) -> bytes:
    return axdr.encode(
        axdr.array(*[axdr.structure(axdr.u16(channel), axdr.octets(octets)) for channel, octets in rows])
    )


def test_channels_without_an_mbus_client_are_named_by_the_gateways_list() -> None:
    rows = listed((1, GAS.to_radio()), (65, WATER.to_radio()), (700, GAS.to_radio()))
    asked, found = play(list_behind(), saps(1, 2, 66), tuple(identity(GAS)), rows)
    assert found == (behind(GAS, 1), behind(WATER, 65))
    assert isinstance(asked[-1], Get)


@pytest.mark.parametrize(
    "answer", [DataAccessResult.OBJECT_UNDEFINED, listed((1, GAS.to_radio())), listed((65, b"short")), b"\x11\x05"]
)
def test_a_channel_that_no_list_names_makes_it_no_list(answer: object) -> None:
    assert play(list_behind(), saps(1, 2, 66), tuple(identity(GAS)), answer)[1] is None


def test_coupling_names_the_meter_binds_it_and_hands_over_its_key() -> None:
    ok = DataAccessResult.SUCCESS
    script = couple(CLIENT, lambda _: 72, address=GAS, primary=5, key=bytes(16))
    asked, answered = play(script, ok, ok, ok, ok, DONE, DONE)
    assert [type(each) for each in asked] == [Set, Set, Set, Set, Act, Act]
    assert answered.refusal == ""
    assert answered.value is None


def test_coupling_ends_at_the_first_refusal() -> None:
    denied = DataAccessResult.READ_WRITE_DENIED
    asked, answered = play(couple(CLIENT, lambda _: 72, address=GAS), DataAccessResult.SUCCESS, denied)
    assert (len(asked), answered.refusal) == (2, "read-write-denied")


@pytest.mark.covers("SEC-05")
def test_a_new_key_goes_to_the_meter_wrapped_and_then_to_the_gateway() -> None:
    new, present = bytes(range(16)), bytes(16)
    asked, answered = play(transfer_key(CLIENT, lambda _: 72, new=new, present=present), DONE, DONE)
    told, kept = asked
    assert isinstance(told, Act)
    assert isinstance(kept, Act)
    assert told.parameters is not None
    assert kept.parameters is not None
    assert new not in told.parameters
    assert new in kept.parameters
    assert answered.refusal == ""
    refused = ActionOutcome(ActionResult.OBJECT_UNAVAILABLE)
    asked, answered = play(transfer_key(CLIENT, lambda _: 72, new=new, present=present), refused)
    assert (len(asked), answered.refusal) == (1, "object-unavailable")


def test_keys_and_channels_that_cannot_be_are_refused_before_anything_is_asked() -> None:
    with pytest.raises(ConfigError, match="16 octets"):
        play(transfer_key(CLIENT, lambda _: 72, new=b"", present=bytes(16)))
    for channel in (0, 65):
        with pytest.raises(ConfigError, match="channels 1 to 64"):
            client_of(channel)


def test_decoupling_is_one_call_and_its_refusal_is_told() -> None:
    asked, answered = play(decouple(CLIENT, lambda _: 72), ActionOutcome(ActionResult.READ_WRITE_DENIED))
    (told,) = asked
    assert isinstance(told, Act)
    assert (told.method.obis, answered.refusal) == (client_of(2), "read-write-denied")


def test_a_collection_ends_with_what_is_behind() -> None:
    into = Collected()

    def script() -> Script[Collected]:
        yield Get(CLOCK_TIME)
        return into

    asked, found = play(with_behind(script(), into), b"", saps(1, 3), tuple(identity(WATER)))
    assert len(asked) == 3
    assert found is into
    assert into.behind == (behind(WATER, 2),)
