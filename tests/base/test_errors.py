"""One tree of errors; those a machine acts upon carry what it needs."""

import pytest

from meterway.base import errors


def test_every_error_is_a_meterway_error():
    assert all(issubclass(getattr(errors, name), errors.MeterwayError) for name in errors.__all__)


def test_octets_that_do_not_decode_are_the_other_sides_fault():
    assert issubclass(errors.DecodeError, errors.RemoteProtocolError)
    assert not issubclass(errors.DecodeError, errors.LocalProtocolError)


def test_a_decode_error_tells_where_and_of_what_kind():
    error = errors.DecodeError("no such tag", 7, "tag")
    assert (error.message, error.offset, error.kind) == ("no such tag", 7, "tag")
    assert str(error) == "no such tag (offset 7)"


@pytest.mark.parametrize("check", ["tag", "counter"])
def test_a_security_error_names_the_check(check):
    assert errors.SecurityError("no", check).check == check
    assert str(errors.SecurityError("no", check)) == "no"
