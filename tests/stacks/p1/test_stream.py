"""Telegrams out of a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.p1.encrypted import encrypt
from meterway.stacks.p1.stream import Noticed, P1Stream, TelegramReceived
from meterway.stacks.p1.telegram import P1Object, Telegram, encode, seal

pytestmark = pytest.mark.covers("IF-H1", "SEC-11")

KEY = bytes(range(16))
TITLE = b"MWY\x00\x00\x00\x00\x01"


def octets_of(power):
    objects = (P1Object.of("1-3:0.2.8", "50"), P1Object.of("1-0:1.7.0", f"{power:06.3f}*kW"))
    return encode(seal(Telegram(identification="ABC5x", objects=objects)))


def events_of(engine):
    events = []
    while (event := engine.next_event()) is not None:
        events.append(event)
    return events


def powers_of(events):
    return [event.telegram.find("1-0:1.7.0").parts[0] for event in events if isinstance(event, TelegramReceived)]


def kinds_of(events):
    return [event.kind for event in events if isinstance(event, Noticed)]


@given(st.lists(st.integers(1, 40), max_size=12))
def test_telegrams_are_found_however_the_octets_are_cut(sizes):
    engine = P1Stream()
    octets = b"".join(map(octets_of, (1, 2, 3)))
    for size in sizes:
        engine.receive_data(octets[:size] or b"\r\n", 0)
        octets = octets[size:]
    engine.receive_data(octets or b"\r\n", 0)
    events = events_of(engine)
    assert powers_of(events) == ["01.000*kW", "02.000*kW", "03.000*kW"]
    assert kinds_of(events) == []


@given(st.binary(max_size=300), st.integers(1, 64))
def test_after_any_noise_the_next_but_one_telegram_is_found(noise, size):
    engine = P1Stream(key=KEY)
    stream = noise.replace(b"\xdb", b"") + octets_of(1) + octets_of(2)
    for place in range(0, len(stream), size):
        engine.receive_data(stream[place : place + size], 0)
    assert powers_of(events_of(engine))[-1:] == ["02.000*kW"]


def test_a_telegram_that_was_cut_is_noticed_and_the_next_one_is_read():
    engine = P1Stream()
    engine.receive_data(octets_of(1)[:30] + b"\r\n" + octets_of(2), 0)
    events = events_of(engine)
    assert (kinds_of(events), powers_of(events)) == (["cut"], ["02.000*kW"])


def test_a_wrong_crc_is_noticed():
    engine = P1Stream()
    engine.receive_data(octets_of(1).replace(b"01.000", b"01.001"), 0)
    assert kinds_of(events_of(engine)) == ["crc"]


def test_noise_between_telegrams_is_noticed():
    engine = P1Stream()
    engine.receive_data(b"\0\xff noise" + octets_of(1) + b"tail\r\n" + octets_of(2), 0)
    events = events_of(engine)
    assert (kinds_of(events), len(powers_of(events))) == (["noise", "noise"], 2)


def test_a_line_at_7e1_is_read():
    engine = P1Stream()
    engine.receive_data(bytes(octet | (octet.bit_count() & 1) << 7 for octet in octets_of(1) + octets_of(2)), 0)
    events = events_of(engine)
    assert powers_of(events) == ["01.000*kW", "02.000*kW"]
    assert events[0].telegram.quirks == ("parity-bit",)


def test_no_more_is_kept_than_the_limit():
    engine = P1Stream(limit=200)
    engine.receive_data(b"/" + b"x" * 100_000, 0)
    assert len(engine._buffer) <= 400
    assert "overlong" in kinds_of(events_of(engine))
    engine.receive_data(octets_of(1), 0)
    assert powers_of(events_of(engine)) == ["01.000*kW"]


def test_an_encrypted_telegram_is_opened_with_its_key():
    frames = [encrypt(octets_of(power), KEY, system_title=TITLE, counter=power) for power in (1, 2)]
    engine = P1Stream(key=KEY)
    for octet in b"".join(frames):
        engine.receive_data(bytes((octet,)), 0)
    events = events_of(engine)
    assert powers_of(events) == ["01.000*kW", "02.000*kW"]
    assert [event.decrypted.counter for event in events] == [1, 2]


@pytest.mark.parametrize(("key", "kind"), [(b"", "encrypted"), (bytes(16), "tag")])
def test_an_encrypted_telegram_without_its_key_is_noticed(key, kind):
    engine = P1Stream(key=key)
    engine.receive_data(encrypt(octets_of(1), KEY, system_title=TITLE, counter=1) + octets_of(2), 0)
    events = events_of(engine)
    assert (kinds_of(events), powers_of(events)) == ([kind], ["02.000*kW"])


def test_an_octet_db_in_noise_starts_no_frame():
    engine = P1Stream(limit=500)
    engine.receive_data(b"\xdb\x08" + b"x" * 8 + b"\x82\xff\xff" + b"\xdb\x01" + octets_of(1), 0)
    events = events_of(engine)
    assert powers_of(events) == ["01.000*kW"]
    assert set(kinds_of(events)) == {"noise"}


def test_a_telegram_that_does_not_go_on_is_given_up():
    engine = P1Stream(idle_s=5)
    assert engine.next_timeout() is None
    engine.receive_data(octets_of(1)[:20], 100)
    assert engine.next_timeout() == 105
    engine.handle_timeout(104)
    assert events_of(engine) == []
    engine.handle_timeout(105)
    assert kinds_of(events_of(engine)) == ["cut"]
    assert engine.next_timeout() is None


def test_the_last_telegram_needs_no_line_end_when_the_line_closes():
    engine = P1Stream()
    engine.receive_data(octets_of(1)[:-2], 0)
    assert events_of(engine) == []
    engine.receive_data(b"", 0)
    assert powers_of(events_of(engine)) == ["01.000*kW"]


def test_a_display_has_nothing_to_say_to_the_meter():
    engine = P1Stream()
    engine.receive_data(octets_of(1), 0)
    assert engine.data_to_send() == b""


def test_an_encrypted_frame_without_room_for_its_fields_is_noticed():
    engine = P1Stream(key=KEY)
    engine.receive_data(b"\xdb\x08" + TITLE + b"\x00" + octets_of(1), 0)
    events = events_of(engine)
    assert (kinds_of(events), powers_of(events)) == (["truncated"], ["01.000*kW"])


@given(st.binary(max_size=200))
def test_any_octets_are_survived(octets):
    engine = P1Stream(key=KEY, limit=64)
    for stream in (octets, b"\xdb\x08" + octets, b"/" + octets, b""):
        engine.receive_data(stream, 0)
    assert all(isinstance(event, TelegramReceived | Noticed) for event in events_of(engine))


@pytest.mark.covers("SEC-05")
def test_a_replayed_telegram_is_refused_even_on_a_new_line():
    frames = {count: encrypt(octets_of(count), KEY, system_title=TITLE, counter=count) for count in (5, 6)}
    counters = {}
    engine = P1Stream(key=KEY, counters=counters)
    engine.receive_data(frames[6] + frames[6] + frames[5], 0)
    events = events_of(engine)
    assert (powers_of(events), kinds_of(events)) == (["06.000*kW"], ["counter", "counter"])
    again = P1Stream(key=KEY, counters=counters)
    again.receive_data(frames[6], 0)
    assert kinds_of(events_of(again)) == ["counter"]
