"""Telegrams of other projects' tests, of seven countries."""

import json
from pathlib import Path

import pytest

from meterway.base.errors import DecodeError
from meterway.mapping.p1 import decode_telegram, is_p1
from meterway.stacks.p1.encrypted import decrypt
from meterway.stacks.p1.stream import P1Stream, TelegramReceived
from meterway.stacks.p1.telegram import decode, encode

pytestmark = pytest.mark.covers("IF-H1", "F6a")

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "vectors/p1/telegrams.jsonl").read_text("ascii").splitlines()
]
EACH = pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])


def octets_of(vector):
    return bytes.fromhex(vector["hex"]) if "hex" in vector else vector["text"].encode("latin-1")


def plain_of(vector):
    octets = octets_of(vector)
    return decrypt(octets, bytes.fromhex(vector["key"])).telegram if "hex" in vector else octets


@EACH
def test_every_object_is_read_as_expected(vector):
    telegram = decode(plain_of(vector), crc=False)
    assert {entry.code: list(entry.parts) for entry in telegram.objects} == vector["objects"]


@EACH
def test_a_telegram_with_its_end_comes_back_the_same(vector):
    telegram = decode(plain_of(vector), crc=False)
    if "no-end-mark" not in telegram.quirks:
        assert encode(telegram) == plain_of(vector)


@EACH
def test_a_wrong_crc_is_refused_and_a_right_one_is_not(vector):
    if vector["refused"]:
        with pytest.raises(DecodeError) as caught:
            decode(plain_of(vector))
        assert caught.value.kind == vector["refused"]
    else:
        assert decode(plain_of(vector)).objects


@EACH
def test_the_answer_is_plain_json_and_names_every_object(vector):
    keys = [bytes.fromhex(vector["key"])] if "key" in vector else []
    row = decode_telegram(octets_of(vector), keys, crc=False).as_json()
    assert json.loads(json.dumps(row)) == row
    assert len(row["readings"]) >= len(vector["objects"])
    assert all(reading["value"] is not None or reading["quality"] for reading in row["readings"])
    assert row["security"]["encrypted"] is ("hex" in vector)
    assert is_p1(plain_of(vector))


STREAMED = [vector for vector in VECTORS if not vector["refused"] and not vector["name"].endswith("no-end-mark")]


@pytest.mark.parametrize("vector", STREAMED, ids=[vector["name"] for vector in STREAMED])
def test_a_stream_of_it_is_cut_into_telegrams(vector):
    engine = P1Stream(key=bytes.fromhex(vector.get("key", "")))
    engine.receive_data(octets_of(vector) * 3, 0)
    engine.receive_data(b"", 0)
    events = []
    while (event := engine.next_event()) is not None:
        events.append(event)
    wanted = 1 if "hex" in vector else 3  # an encrypted telegram counts once: the next ones are replays
    assert len([event for event in events if isinstance(event, TelegramReceived)]) == wanted
