"""Authentication by a shared secret."""

from __future__ import annotations

import pytest

from meterway.base.errors import SecurityError
from meterway.stacks.dlms.security.hls import HLS3, HLS4, HLS6, hls_answer, new_challenge, same_secret

pytestmark = pytest.mark.covers("SEC-03")

SECRET = bytes.fromhex("0102030405060708")


# Derived from the formulas of the norm with the inputs of an open test suite.
@pytest.mark.parametrize(
    ("mechanism", "answer"),
    [(HLS3, "57287b4e2089a7a937656204909ccd62"), (HLS4, "b809951d0e36bbc0f51a9d5e0c82e25a0742e018")],
)
def test_a_digest_of_challenge_and_secret_answers(mechanism: int, answer: str) -> None:
    assert hls_answer(mechanism, SECRET, bytes.fromhex("aabbccdd")).hex() == answer


def test_a_digest_of_secret_titles_and_challenges_answers() -> None:
    answer = hls_answer(
        HLS6,
        b"0123456789abcdef",
        bytes.fromhex("aabbccdd"),
        own_title=b"CLIENT01",
        peer_title=b"SERVER01",
        own_challenge=bytes.fromhex("11223344"),
    )
    assert answer.hex() == "b403ead6f4ba0c371a67bed8425e76bb228cbc4c425edb320fe8d144ae75b2e1"


@pytest.mark.parametrize("mechanism", [0, 1, 2, 5, 7, 99])
def test_another_mechanism_has_no_such_answer(mechanism: int) -> None:
    with pytest.raises(SecurityError) as refused:
        hls_answer(mechanism, SECRET, b"challenge")
    assert refused.value.check == "mechanism"


def test_challenges_are_fresh_and_long_enough() -> None:
    challenges = {new_challenge() for _ in range(100)}
    assert len(challenges) == 100
    assert {len(challenge) for challenge in challenges} == {16}
    assert len(new_challenge(64)) == 64


def test_secrets_are_the_same_or_not() -> None:
    assert same_secret(b"secret", b"secret")
    assert not same_secret(b"secret", b"secreT")
    assert not same_secret(b"", b"secret")
