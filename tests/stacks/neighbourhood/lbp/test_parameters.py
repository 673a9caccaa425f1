import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.eap_psk import Protected, Result
from meterway.stacks.neighbourhood.lbp.parameters import (
    Grant,
    Parameter,
    ParameterId,
    ParameterResult,
    read_parameters,
    read_result,
    write_result,
)

KEY = bytes(range(16))


@given(st.integers(0, 63), st.binary(max_size=40))
def test_every_parameter_comes_back(number, value):
    parameter = Parameter(number=number, value=value)
    assert Parameter.decode(Reader(parameter.encode())) == parameter


def test_the_first_octets():
    """As published G3 stacks have them."""
    heads = {number.name: Parameter(number=number, value=b"").encode()[0] for number in ParameterId}
    known = {"SHORT_ADDRESS": 0x1D, "GMK": 0x27, "GMK_ACTIVATION": 0x2B, "GMK_REMOVAL": 0x2F, "RESULT": 0x31}
    assert heads == known


@given(
    st.integers(0, 0xFFFD),
    st.dictionaries(st.integers(0, 1), st.binary(min_size=16, max_size=16), min_size=1).flatmap(
        lambda keys: st.tuples(st.just(keys), st.sampled_from(sorted(keys)))
    ),
)
def test_every_grant_comes_back(short, given_keys):
    keys, active = given_keys
    grant = Grant(short=short, keys=keys, active=active)
    assert Grant.decode(grant.encode()) == grant
    assert "keys" not in repr(grant)


def test_a_grant_by_hand():
    grant = Grant(short=0x1234, keys={0: KEY}, active=0)
    assert grant.encode().hex() == "02" + "1d021234" + "271100" + KEY.hex() + "2b0100"


def test_the_grant_of_the_interoperability_tests():
    """As quoted, with its key, by a published dissector of G3: what the third message says when it is decrypted."""
    gmk = "af4d6dccf14de7c1c4235e6fef6c151f"
    said = Protected.decode(bytes.fromhex("a0021d0200ed271100" + gmk + "2b0100"))
    assert said.result is Result.SUCCESS
    grant = Grant.decode(said.extension)
    assert grant == Grant(short=0xED, keys={0: bytes.fromhex(gmk)}, active=0)
    assert Protected(result=Result.SUCCESS, extension=grant.encode()) == said


@pytest.mark.parametrize(
    ("extension", "kind"),
    [
        (None, "missing"),
        (b"", "missing"),
        (b"\x01", "missing"),
        (b"\x02", "missing"),
        (b"\x02\x1d", "truncated"),
        (b"\x02\x1c\x00", "parameter"),
        (b"\x02\x1d\x01\x00", "invalid"),
        (bytes.fromhex("02 1d02ffff 2b0100") + b"\x27\x11\x00" + KEY, "invalid"),
        (bytes.fromhex("02 1d020001 2b0101") + b"\x27\x11\x00" + KEY, "invalid"),
        (bytes.fromhex("02 1d020001 2b0100"), "invalid"),
        (bytes.fromhex("02 1d020001") + b"\x27\x11\x02" + KEY, "invalid"),
        (bytes.fromhex("02 410100"), "invalid"),
    ],
)
def test_a_grant_that_cannot_be_says_why(extension, kind):
    with pytest.raises(DecodeError) as caught:
        Grant.decode(extension)
    assert caught.value.kind == kind


@given(st.none() | st.binary(max_size=40))
def test_any_extension_is_read_or_a_decode_error(extension):
    for read in (read_parameters, read_result, Grant.decode):
        try:
            read(extension)
        except DecodeError as error:
            assert error.kind


def test_results():
    assert write_result(ParameterResult.SUCCESS).hex() == "0231020000"
    assert write_result(ParameterResult.MISSING, ParameterId.GMK).hex() == "0231020127"
    for result in ParameterResult:
        assert read_result(write_result(result)) is result
    both = write_result(ParameterResult.SUCCESS) + write_result(ParameterResult.INVALID, 7)[1:]
    assert read_result(both) is ParameterResult.INVALID
    assert read_result(b"\x02") is None
    with pytest.raises(DecodeError):
        read_result(bytes.fromhex("0231020900"))
