"""Protecting and opening APDUs: published vectors, and every refusal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.ciphers import Gcm12
from meterway.base.errors import DecodeError, SecurityError
from meterway.stacks.dlms.security.context import Keys, SecurityContext, key_octets, open_octets
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter

pytestmark = pytest.mark.covers("SEC-04")

KEYS = Keys(bytes(range(16)), bytes(range(0xD0, 0xE0)))
TITLE = bytes.fromhex("4d4d4d0000bc614e")
PEER = bytes.fromhex("4d4d4d0000000001")
APDU = bytes.fromhex("c0010000080000010000ff0200")
FIRST = 0x01234567


def context(control: int = 0x30, *, start: int = FIRST, last: int = -1, **changes: Any) -> SecurityContext:
    wanted: dict[str, Any] = {
        "keys": KEYS,
        "own_title": TITLE,
        "peer_title": TITLE,
        "send_counter": SendCounter(start),
        "received": ReceivedCounter(last),
        "control": control,
    }
    return SecurityContext(**(wanted | changes))


def refused(work: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(SecurityError) as caught:
        work(*arguments, **named)
    return caught.value.check


# GET of the clock under the example keys of the norm; published in open test suites.
VECTORS = [
    (0x10, "c81e1001234567c0010000080000010000ff020006725d910f9221d263877516"),
    (0x20, "c8122001234567411312ff935a47566827c467bc"),
    (0x30, "c81e3001234567411312ff935a47566827c467bc7d825c3be4a77c3fcc056b6b"),
]


@pytest.mark.parametrize(("control", "octets"), VECTORS, ids=["authenticated", "encrypted", "both"])
def test_a_request_is_protected_and_opened_as_published(control: int, octets: str) -> None:
    protected = bytes.fromhex(octets)
    assert context(control).protect(APDU) == protected
    assert context(control).open(protected[2:]) == APDU
    assert open_octets(Gcm12(KEYS.encryption), None, TITLE, protected[2:]) == (APDU, control, FIRST)


@pytest.mark.parametrize(
    "octets",
    [
        "c81e1001234567c0010000080000010000ff020006725d910f9221d263877426",
        "c81e3001234567411312ff935a47566827c467bc7d825c3be5a77c3fcc056b6b",
    ],
)
def test_a_wrong_published_tag_does_not_verify(octets: str) -> None:
    protected = bytes.fromhex(octets)
    assert refused(context(protected[2] & 0x30).open, protected[2:]) == "tag"


def test_an_initiate_request_is_protected_as_published() -> None:
    plain = bytes.fromhex("01011000112233445566778899aabbccddeeff0000065f1f0400007e1f04b0")
    protected = bytes.fromhex(
        "21303001234567801302ff8a7874133d414ced25b42534d28db0047720606b175bd52211be6841db204d39ee6fdb8e356855"
    )
    assert context().protect_initiate(plain) == protected
    assert context().open(protected[2:]) == plain


# The client's and the server's proof of HLS 5.
PROOFS = [
    (PEER, 1, "503677524a323146", "10000000011a52fe7dd3e72748973c1e28"),
    (TITLE, FIRST, "4b35366956616759", "1001234567fe1466afb3dbcd4f9389e2b7"),
]


@pytest.mark.covers("SEC-03")
@pytest.mark.parametrize(("title", "counter", "challenge", "answer"), PROOFS, ids=["client", "server"])
def test_a_challenge_is_answered_and_verified_as_published(
    title: bytes, counter: int, challenge: str, answer: str
) -> None:
    asked, proof = bytes.fromhex(challenge), bytes.fromhex(answer)
    assert context(own_title=title, start=counter).challenge_response(asked) == proof
    peer = context(peer_title=title)
    peer.verify_challenge(asked, proof)
    assert peer.received.last == counter


@pytest.mark.covers("SEC-03")
@pytest.mark.parametrize(
    "answer",
    [
        "1001234567fe1466afb3abcd4f9389e2b7",
        "1001234568fe1466afb3dbcd4f9389e2b7",
        "3001234567fe1466afb3dbcd4f9389e2b7",
        "1101234567fe1466afb3dbcd4f9389e2b7",
        "1001234567fe1466afb3dbcd4f9389e2",
        "1001234567fe1466afb3dbcd4f9389e2b700",
        "",
    ],
)
def test_a_wrong_answer_to_a_challenge_is_refused_and_counts_nothing(answer: str) -> None:
    peer = context()
    assert refused(peer.verify_challenge, b"K56iVagY", bytes.fromhex(answer)) == "authentication"
    assert peer.received.last == -1


@given(st.sampled_from([0x10, 0x20, 0x30]), st.binary(max_size=60))
def test_any_service_comes_back(control: int, body: bytes) -> None:
    sender, receiver = context(control), context(control)
    for tag in (0xC0, 0xC4, 0x0E):
        apdu = bytes((tag,)) + body
        protected = sender.protect(apdu)
        assert protected[0] != tag
        assert receiver.open(protected[2:]) == apdu


@given(st.sampled_from([0x10, 0x30]), st.integers(0, 29), st.integers(1, 255))
def test_no_altered_octet_is_taken(control: int, place: int, change: int) -> None:
    protected = bytearray(context(control).protect(APDU)[2:])
    protected[place] ^= change
    receiver = context(control)
    assert refused(receiver.open, bytes(protected)) in ("tag", "policy", "suite", "compressed")
    assert receiver.received.last == -1


@pytest.mark.parametrize("control", [0x10, 0x20, 0x30])
def test_a_cut_message_is_refused(control: int) -> None:
    protected = context(control).protect(APDU)[2:]
    for end in range(len(protected)):
        if control == 0x20 and end >= 5:
            continue  # nothing but the APDU inside can tell
        with pytest.raises((SecurityError, DecodeError)):
            context(control).open(protected[:end])


@pytest.mark.covers("SEC-05")
def test_a_replayed_or_reordered_message_is_refused() -> None:
    sender, receiver = context(), context()
    first, second = sender.protect(APDU)[2:], sender.protect(APDU)[2:]
    assert receiver.open(second) == APDU
    assert refused(receiver.open, second) == "counter"
    assert refused(receiver.open, first) == "counter"
    assert receiver.open(sender.protect(APDU)[2:]) == APDU


@pytest.mark.covers("SEC-05")
def test_a_forged_high_counter_does_not_lock_the_peer_out() -> None:
    forged = bytearray(context().protect(APDU)[2:])
    forged[1:5] = b"\xff\xff\xff\xff"
    receiver = context()
    assert refused(receiver.open, bytes(forged)) == "tag"
    assert receiver.open(context().protect(APDU)[2:]) == APDU


@pytest.mark.parametrize(
    ("demanded", "came"), [(0x30, 0x10), (0x30, 0x20), (0x30, 0x00), (0x10, 0x20), (0x20, 0x10), (0x10, 0x00)]
)
def test_weaker_protection_than_agreed_is_refused(demanded: int, came: int) -> None:
    protected = context(came).protect(APDU)[2:] if came else b"\x00\x01\x23\x45\x67" + APDU
    assert refused(context(demanded).open, protected) == "policy"


def test_stronger_protection_than_agreed_is_taken() -> None:
    assert context(0x10).open(context(0x30).protect(APDU)[2:]) == APDU


@pytest.mark.covers("SEC-05")
def test_an_envelope_without_protection_is_refused_even_where_none_is_demanded() -> None:
    receiver = context(0)
    assert refused(receiver.open, b"\x00\xff\xff\xff\xff" + APDU) == "policy"
    assert receiver.received.last == -1


def test_nothing_is_protected_where_nothing_is_agreed() -> None:
    sender = context(0)
    assert sender.protect(APDU) == APDU
    assert sender.protect_general(APDU) == APDU
    assert sender.send_counter.next == FIRST


def test_another_suite_is_refused() -> None:
    protected = bytearray(context().protect(APDU)[2:])
    protected[0] |= 1
    assert refused(context().open, bytes(protected)) == "suite"


def test_a_compressed_message_is_refused_by_name() -> None:
    protected = bytearray(context().protect(APDU)[2:])
    protected[0] |= 0x80
    assert refused(context().open, bytes(protected)) == "compressed"


def test_the_title_of_another_sender_does_not_open() -> None:
    protected = context().protect(APDU)[2:]
    assert refused(context(peer_title=PEER).open, protected) == "tag"
    assert context(peer_title=PEER).open(protected, title=TITLE) == APDU


def test_another_key_does_not_open() -> None:
    protected = context().protect(APDU)[2:]
    for keys in (Keys(bytes(16), KEYS.authentication), Keys(KEYS.encryption, bytes(16))):
        assert refused(context(keys=keys).open, protected) == "tag"


def test_a_general_envelope_names_its_sender() -> None:
    octets = context().protect_general(APDU)
    assert octets[:10] == b"\xdb\x08" + TITLE
    assert context().open(octets[11:]) == APDU


def test_a_dedicated_key_protects_services_and_counts_for_itself() -> None:
    sender, receiver = context(), context(last=FIRST)
    assert not sender.has_dedicated
    for side in (sender, receiver):
        side.set_dedicated(bytes(16))
        assert side.has_dedicated
    protected = sender.protect(APDU)
    assert protected[0] == 0xD0
    assert protected[3:7] == bytes(4)
    assert receiver.open(protected[2:], dedicated=True) == APDU
    assert refused(receiver.open, protected[2:], dedicated=True) == "counter"
    assert sender.send_counter.next == FIRST
    assert sender.protect_initiate(b"\x01rest")[0] == 0x21


def test_a_dedicated_key_that_was_not_agreed_is_refused() -> None:
    assert refused(context().open, context().protect(APDU)[2:], dedicated=True) == "key"
    assert refused(context().set_dedicated, bytes(8)) == "key"


def test_what_is_no_service_passes_as_it_is() -> None:
    for apdu in (b"\x60\x00", b"\x62\x00", b"\xd8\x01\x01"):
        assert context().protect(apdu) == apdu


@pytest.mark.parametrize(("suite", "length"), [(0, 15), (0, 32), (1, 24), (2, 16), (2, 31)])
def test_a_key_of_another_length_than_its_suite_is_refused(suite: int, length: int) -> None:
    assert refused(key_octets, bytes(length), "the key", suite) == "key"


@pytest.mark.parametrize(("suite", "length"), [(0, 16), (1, 16), (2, 32)])
def test_a_key_of_its_suite_is_taken(suite: int, length: int) -> None:
    keys = Keys(bytes(length), bytes(length))
    sender, receiver = (context(0x30 | suite, keys=keys) for _ in range(2))
    assert receiver.open(sender.protect(APDU)[2:]) == APDU


@pytest.mark.parametrize("length", [0, 7, 9])
def test_a_system_title_has_eight_octets(length: int) -> None:
    assert refused(context, own_title=bytes(length)) == "title"


@pytest.mark.covers("SEC-10")
def test_keys_are_never_shown() -> None:
    assert repr(KEYS) == "Keys(<hidden>)"


@given(st.binary(max_size=40))
def test_any_octets_open_or_are_refused_in_our_words(octets: bytes) -> None:
    for control in (0, 0x10, 0x30):
        with pytest.raises((SecurityError, DecodeError)):
            context(control).open(octets)
