"""Telegrams of real meters are decoded to what they say, and no octets bring the decoder down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError
from meterway.mapping.dlms import DlmsKeys
from meterway.mapping.telegram import FORMATS, Refused, decode_telegram
from meterway.stacks.dlms.hdlc.frame import encode_frame

pytestmark = pytest.mark.covers("IF-H1", "F1a")

VECTORS = Path(__file__).parent.parent / "vectors" / "dlms" / "telegrams.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in VECTORS.read_text().splitlines()]
BY_NAME = {row["name"]: row for row in ROWS}
KEYS = DlmsKeys(keys=(bytes(range(16)),), auth_key=bytes(range(0xD0, 0xE0)))


def octets_of(name: str) -> bytes:
    return bytes.fromhex(BY_NAME[name]["hex"])


def keys_of(row: dict[str, Any]) -> DlmsKeys:
    given_keys = (bytes.fromhex(row["key"]),) if "key" in row else ()
    auth_key = bytes.fromhex(row["auth_key"]) if "auth_key" in row else None
    return DlmsKeys(keys=given_keys, auth_key=auth_key, system_title=bytes.fromhex(row.get("system_title", "")))


def decoded(octets: bytes, keys: DlmsKeys | None = None, *, named: str | None = None) -> dict[str, Any]:
    answer = decode_telegram(octets, keys, format=named).as_json()
    json.dumps(answer, allow_nan=False)
    return answer


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_telegram_says_what_is_expected(row: dict[str, Any]) -> None:
    answer, expected = decoded(bytes.fromhex(row["hex"]), keys_of(row)), row["expected"]
    assert answer["ok"] is expected["ok"]
    if not expected["ok"]:
        assert answer["error"] == expected["error"]
        return
    found = [[one["obis"], one["value"], one["unit"], one["time"]] for one in answer["readings"]]
    assert found == expected["readings"]
    for name in ("protocol", "device", "security", "quirks"):
        assert answer[name] == expected[name], name
    assert [layer["layer"] for layer in answer["layers"]] == expected["layers"]
    if "body" in expected:
        assert next(layer["body"] for layer in answer["layers"] if "body" in layer) == expected["body"]


def test_every_vector_names_its_source_and_its_licence_and_shows_no_id() -> None:
    allowed = {"MIT", "ISC", "Apache-2.0", "MIT OR Apache-2.0", "known-answer vector"}
    assert {row["licence"] for row in ROWS} <= allowed
    assert all(row["source"] for row in ROWS)
    assert len(BY_NAME) == len(ROWS) > 30


@pytest.mark.parametrize("name", ["aidon-hdlc", "kaifa-hour", "session-aarq", "m-bus-sealed", "general-blocks-sealed"])
def test_a_cut_telegram_never_says_more_than_the_whole(name: str) -> None:
    octets = octets_of(name)
    whole = [json.dumps(one) for one in decoded(octets, KEYS)["readings"]]
    for end in range(0, len(octets), 7):
        answer = decoded(octets[:end], KEYS)
        if answer["ok"]:
            assert not [one for one in answer["readings"] if json.dumps(one) not in whole]


def test_without_its_key_a_telegram_is_refused_but_its_envelope_is_told() -> None:
    answer = decoded(octets_of("general-glo-sealed"))
    assert answer["error"]["kind"] == "key"
    assert answer["device"] == {"system_title": "4D4D4D0000BC614E", "manufacturer": "MMM"}
    assert answer["security"]["invocation_counter"] == 7


@pytest.mark.covers("SEC-04")
@pytest.mark.parametrize("name", ["general-glo-sealed", "m-bus-sealed", "general-blocks-sealed"])
def test_a_wrong_key_is_never_taken_for_the_right_one(name: str) -> None:
    octets = octets_of(name)
    for keys, check in (
        (DlmsKeys(keys=(bytes(16),)), "key"),
        (DlmsKeys(keys=(bytes(range(16)),), auth_key=bytes(16)), "tag"),
    ):
        answer = decoded(octets, keys)
        assert (answer["ok"], answer["error"]["kind"]) == (False, check)
    both = DlmsKeys(keys=(bytes(16), bytes(range(16))), auth_key=KEYS.auth_key)
    assert decoded(octets, both)["security"]["authenticated"] is True


def test_a_tag_that_nobody_checked_is_told() -> None:
    answer = decoded(octets_of("general-glo-sealed"), DlmsKeys(keys=KEYS.keys))
    assert answer["ok"] is True
    assert answer["quirks"] == ["tag-not-verified"]
    assert answer["security"]["authenticated"] is False


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (b"", "empty"),
        (b"\x1b\x1b\x1b\x1b\x02\x02\x02\x02", "frame"),
        (b"\xff", "apdu"),
        (b"\x7e\xa0\x08\x02\x21\x21\x93\x05\xd1\x7f", "flag"),
        (b"\x00\x01\x00\x10\x00\x01\x00\x05\x60", "truncated"),
        (bytes((1 << 20) + 1), "length"),
    ],
)
def test_what_is_not_understood_is_refused_in_a_word(octets: bytes, kind: str) -> None:
    answer = decoded(octets)
    assert answer["ok"] is False
    assert answer["error"]["kind"] == kind


def test_a_damaged_frame_is_refused_with_its_place() -> None:
    octets = bytearray(octets_of("aidon-hdlc"))
    octets[40] ^= 1
    assert decoded(bytes(octets))["error"]["kind"] == "fcs"
    octets = bytearray(octets_of("m-bus-sealed"))
    octets[40] ^= 1
    assert decoded(bytes(octets), KEYS)["error"]["kind"] == "checksum"


def test_segments_of_m_bus_come_in_order() -> None:
    octets = octets_of("m-bus-sealed")
    second = octets.index(b"\x16\x68") + 1
    answer = decoded(octets[second:] + octets[:second], KEYS)
    assert "incomplete-apdu" in answer["quirks"]
    assert answer["readings"] == []


def test_a_format_that_is_named_is_not_guessed() -> None:
    assert decoded(octets_of("get-request"), named="dlms")["ok"] is True
    assert decoded(octets_of("get-request"), named="hdlc")["ok"] is False
    with pytest.raises(ConfigError, match="known are p1, dlms"):
        decode_telegram(b"", format="morse")


@pytest.mark.covers("SEC-11")
@given(st.binary(max_size=200), st.sampled_from([None, *FORMATS]), st.booleans())
def test_no_octets_bring_the_decoder_down(octets: bytes, name: str | None, keyed: bool) -> None:
    decoded(octets, KEYS if keyed else None, named=name)


@pytest.mark.covers("SEC-11")
@given(st.sampled_from(ROWS), st.data())
def test_no_altered_telegram_brings_the_decoder_down(row: dict[str, Any], data: st.DataObject) -> None:
    octets = bytearray.fromhex(row["hex"])
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    decoded(bytes(octets), keys_of(row))


# A float that is no number, a compact array of four values, general blocks within envelopes.
@pytest.mark.parametrize(
    "octets",
    [
        "02021700000000177fc00000",
        "020109060100010800ff177f800000",
        "13110401020304",
        "0203" + "0906" + "0100010800ff" + "177f800000" + "02020f001632",
    ],
)
def test_odd_values_are_plain_json(octets: str) -> None:
    decoded(bytes.fromhex(octets))


def test_what_is_refused_without_a_word_inside_says_so_only() -> None:
    assert Refused(kind="k", message="m", offset=3).as_json() == {
        "ok": False,
        "error": {"kind": "k", "message": "m", "offset": 3},
    }


@pytest.mark.parametrize(("text", "frame"), [("1040014116", "short"), ("e5", "acknowledgement")])
def test_the_short_frames_of_a_bus_are_found_by_themselves(text, frame):
    told = decode_telegram(bytes.fromhex(text)).as_json()
    assert (told["protocol"], told["layers"][0]["frame"]) == ("m-bus", frame)
    assert decode_telegram(bytes.fromhex("1040014216")).as_json()["error"]["kind"] == "checksum"


def test_noise_around_good_frames_is_told_and_left_out() -> None:
    frame = octets_of("aidon-hdlc")
    plain = decoded(frame)
    for octets in (b"\x00\xff\x13" + frame, frame + b"\x13\x00", frame + b"\x13" + frame[:30]):
        answer = decoded(octets)
        assert answer["readings"] == plain["readings"]
        assert "noise" in answer["quirks"]
    assert "damaged-frame" in decoded(frame + frame[:30])["quirks"]


def test_a_frame_that_lost_its_opening_flag_is_read() -> None:
    frame = octets_of("aidon-hdlc")
    for octets in (frame[1:], frame[1:-1]):
        answer = decoded(octets)
        assert answer["readings"] == decoded(frame)["readings"]
        assert "no-opening-flag" in answer["quirks"]
    altered = bytearray(frame[1:])
    altered[60] ^= 1
    assert decoded(bytes(altered))["ok"] is False


def wired(ident: str, record: str) -> bytes:
    body = bytes.fromhex("080172" + ident + "ae4c010700000000" + record)
    return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


def test_wired_frames_of_one_meter_make_one_telegram() -> None:
    first, second = wired("78563412", "0413e8030000"), wired("78563412", "0413d0070000")
    answer = decoded(b"\xe5" + first + second)
    assert [one["value"] for one in answer["readings"]] == [1.0, 2.0]
    assert answer["quirks"] == ["noise"]
    assert decoded(first + b"\x00\x00")["quirks"] == ["noise"]
    assert decoded(first + wired("11111111", "0413d0070000"))["error"]["kind"] == "several"
    assert decoded(first + second[:-2] + b"\x00\x16")["ok"] is False


def test_several_notifications_in_one_frame_are_all_read() -> None:
    push = bytes.fromhex("0f40000000000101020309060100010700ff060000067d02020f00161b")
    llc = b"\xe6\xe7\x00"
    frame = encode_frame(b"\x03\x21", 0x13, llc + push + llc + push + llc + push)
    assert [one["value"] for one in decoded(frame)["readings"]] == [1661] * 3
    cut = encode_frame(b"\x03\x21", 0x13, llc + push + llc + push[:-2])
    assert decoded(cut)["ok"] is False


def test_a_radio_frame_whose_length_was_left_out_is_read() -> None:
    frame = bytes.fromhex("44AE4C7856341201077A010000000413e8030000")
    answer = decoded(frame)
    assert (answer["device"]["id"], answer["readings"][0]["value"]) == ("12345678", 1.0)
    assert answer["quirks"] == ["no-length"]
    assert decoded(frame[:-1])["ok"] is False
    assert decoded(b"\x44" + bytes(20))["ok"] is False


def test_a_bare_list_that_is_known_by_its_form_says_so() -> None:
    body = "0209090c07e50a0d03071e3900ff8880" + "".join(f"06{number:08x}" for number in range(8))
    answer = decoded(bytes.fromhex(body))
    assert answer["quirks"] == ["named-by-form"]
    assert [one["value"] for one in answer["readings"]][1:] == list(range(8))
