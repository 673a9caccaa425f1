import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError, DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.hdlc.parameters import HdlcParameters

PARAMETERS = st.builds(
    HdlcParameters,
    max_info_tx=st.integers(1, 2032),
    max_info_rx=st.integers(1, 2032),
    window_tx=st.integers(1, 7),
    window_rx=st.integers(1, 7),
)


def decoded(octets: str) -> HdlcParameters:
    return HdlcParameters.decode(Reader(bytes.fromhex(octets)))


def test_an_absent_field_stands_for_the_defaults() -> None:
    assert decoded("") == decoded("818000") == HdlcParameters()
    assert (HdlcParameters().max_info_tx, HdlcParameters().window_rx) == (128, 1)


def test_the_defaults_in_full_have_the_octets_of_the_norm() -> None:
    assert HdlcParameters().encode().hex() == "818012050180060180070400000001080400000001"


def test_sizes_come_in_one_or_two_octets() -> None:
    assert decoded("8180140502008006020080070400000001080400000001") == HdlcParameters()
    assert decoded("818008050207ee06020400") == HdlcParameters(max_info_tx=2030, max_info_rx=1024)


@given(PARAMETERS)
def test_every_set_comes_back_as_it_went(parameters: HdlcParameters) -> None:
    assert HdlcParameters.decode(Reader(parameters.encode())) == parameters


@given(PARAMETERS, PARAMETERS)
def test_what_one_side_sends_is_never_more_than_the_other_takes(client: HdlcParameters, server: HdlcParameters) -> None:
    at_server = server.agree(client)
    at_client = client.agree(at_server)
    assert at_client.max_info_tx == at_server.max_info_rx <= min(client.max_info_tx, server.max_info_rx)
    assert at_client.max_info_rx == at_server.max_info_tx <= min(client.max_info_rx, server.max_info_tx)
    assert at_client.window_tx == at_server.window_rx
    assert at_client.window_rx == at_server.window_tx


@given(st.binary(max_size=40))
def test_any_octets_are_parameters_or_a_decode_error(octets: bytes) -> None:
    try:
        parameters = HdlcParameters.decode(Reader(b"\x81\x80" + octets))
    except DecodeError:
        return
    assert 1 <= parameters.window_tx <= 7


def test_unknown_parameters_are_passed_over_and_mad_values_bounded() -> None:
    assert decoded("81800d0901ff050205ff0704ffffffff").max_info_tx == 0x5FF
    assert decoded("8180060704ffffffff").window_tx == 7
    assert decoded("818003050100").max_info_tx == 1


@pytest.mark.parametrize(
    ("octets", "kind"),
    [("80", "parameters"), ("8181", "parameters"), ("818005", "truncated"), ("8180020502", "truncated")],
)
def test_a_faulty_field_is_refused(octets: str, kind: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoded(octets)
    assert caught.value.kind == kind


@pytest.mark.parametrize("wrong", [{"max_info_tx": 0}, {"max_info_rx": 2033}, {"window_tx": 8}, {"window_rx": 0}])
def test_a_limit_that_cannot_be_is_a_configuration_error(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        HdlcParameters(**wrong)
