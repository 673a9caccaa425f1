"""The exchange, both sides: it ends well with one key, and at the right place with two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ProtocolError, RemoteProtocolError, SecurityError
from meterway.stacks.neighbourhood.eap_psk import Eap, EapCode, Peer, Protected, Result, Server

KEY, OTHER = bytes(range(16)), bytes(16)
SERVER, PEER = b"COORDINA", b"METER001"
SAY = Protected(result=Result.SUCCESS, extension=b"\x02parameters")


def both(server_key=KEY, peer_key=KEY):
    return Server(server_key, SERVER, b"s" * 16, 250), Peer(peer_key, PEER, b"p" * 16)


@pytest.mark.covers("SEC-03")
def test_both_sides_end_with_the_same_keys_and_each_others_words():
    server, peer = both()
    second = peer.first(server.first())
    third = server.second(second, PEER, SAY)
    assert b"parameters" not in third
    assert peer.third(third) == SAY
    answer = Protected(result=Result.SUCCESS, extension=b"\x02fine")
    assert server.fourth(peer.fourth(answer)) == answer
    assert server.session == peer.session
    assert Eap.decode(server.end(success=True)).code == EapCode.SUCCESS
    assert Eap.decode(server.end(success=False)).code == EapCode.FAILURE


def test_a_peer_with_another_key_is_found_at_the_second_message():
    server, peer = both(peer_key=OTHER)
    with pytest.raises(SecurityError) as caught:
        server.second(peer.first(server.first()), PEER, SAY)
    assert caught.value.check == "tag"
    assert server.session is None


def test_a_peer_that_is_another_is_found():
    server, peer = both()
    with pytest.raises(SecurityError):
        server.second(peer.first(server.first()), b"METER002", SAY)


def test_a_server_with_another_key_is_found_at_the_third_message():
    """An impostor that skips the check of the peer's proof."""
    server, peer = both()
    peer.first(server.first())
    impostor, honest = Server(OTHER, SERVER, b"s" * 16, 250), Peer(OTHER, PEER, b"p" * 16)
    third = impostor.second(honest.first(impostor.first()), PEER, SAY)
    with pytest.raises(SecurityError):
        peer.third(third)
    assert peer.session is None


def packets():
    server, peer = both()
    first = server.first()
    second = peer.first(first)
    third = server.second(second, PEER, SAY)
    peer.third(third)
    return [first, second, third, peer.fourth(SAY)]


@given(st.integers(0, 3), st.integers(0), st.integers(1, 255))
def test_one_changed_octet_is_always_found(number, place, change):
    packet = packets()[number]
    place %= len(packet)
    changed = packet[:place] + bytes([packet[place] ^ change]) + packet[place + 1 :]
    server, peer = both()
    try:
        second = peer.first(changed if number == 0 else server.first())
        third = server.second(changed if number == 1 else second, PEER, SAY)
        said = peer.third(changed if number == 2 else third)
        answer = server.fourth(changed if number == 3 else peer.fourth(said))
    except (SecurityError, ProtocolError):
        return
    # Reserved bits of the flags are covered by the tag only in messages 3 and 4.
    assert (number, place) in ((0, 5), (1, 5))
    assert said == answer == SAY


@given(st.lists(st.integers(0, 4), max_size=6))
def test_messages_out_of_order_are_refused_and_never_crash(order):
    recorded = [*packets(), b"\x03\x00\x00\x04"]
    server, peer = both()
    for number in order:
        for take in (peer.first, peer.third, server.fourth, lambda packet: server.second(packet, PEER, SAY)):
            try:
                take(recorded[number])
            except (SecurityError, ProtocolError):
                continue


def test_an_answer_to_another_request_is_refused():
    server, peer = both()
    second = peer.first(server.first())
    with pytest.raises(RemoteProtocolError, match="asked last"):
        server.second(bytes([second[0], 9]) + second[2:], PEER, SAY)
    with pytest.raises(RemoteProtocolError, match="another exchange"):
        Server(KEY, SERVER, b"t" * 16, 250).second(second, PEER, SAY)
    with pytest.raises(RemoteProtocolError, match="no third"):
        peer.fourth(SAY)
