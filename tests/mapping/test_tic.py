"""What French meters say at their consumer interface."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.mapping.telegram import decode_telegram as decode_any
from meterway.mapping.tic import decode_telegram, is_tic, moment
from meterway.stacks.tic.frame import check_sum

pytestmark = pytest.mark.covers("IF-H1", "F1a")


def historical(*groups: str) -> bytes:
    return b"\x02" + b"".join(f"\n{one} {check_sum(one)}\r".encode() for one in groups) + b"\x03"


def standard(*groups: str) -> bytes:
    whole = [one.replace("|", "\t") + "\t" for one in groups]
    return b"\x02" + b"".join(f"\n{one}{check_sum(one)}\r".encode() for one in whole) + b"\x03"


OLD = historical("ADCO 000000000000", "BASE 012345678", "HCHC 000000042", "PTEC TH..", "IINST 004", "PAPP 01090")
NEW = standard(
    "ADSC|000000000000",
    "DATE|E230712084949|",
    "EAST|000001234",
    "EASF02|000000034",
    "EAIT|000000007",
    "ERQ1|000000009",
    "URMS2|238",
    "SINSTS3|00052",
    "SMAXSN|e230712010000|04536",
    "NTARF|02",
    "NGTF|      TEMPO     ",
    "MSG1|",
)


def rows(octets: bytes) -> dict[str, tuple[Any, str]]:
    return {str(one.obis) if one.obis else one.name: (one.value, one.unit) for one in decode_telegram(octets).readings}


def test_the_historical_mode_gives_codes_where_the_label_says_the_same() -> None:
    got = rows(OLD)
    assert got["1-0:1.8.0*255"] == (12345678, "Wh")
    assert got["1-0:9.7.0*255"] == (1090, "VA")
    assert got["1-0:31.7.0*255"] == (4, "A")
    assert got["tic-hchc"] == (42, "Wh")
    assert got["tic-ptec"] == ("TH..", "")
    assert decode_telegram(OLD).device == {"id": "000000000000", "mode": "historical", "time": None}


def test_the_standard_mode_gives_codes_and_times() -> None:
    got = rows(NEW)
    assert got["1-0:1.8.0*255"] == (1234, "Wh")
    assert got["1-0:1.8.2*255"] == (34, "Wh")
    assert got["1-0:2.8.0*255"] == (7, "Wh")
    assert got["1-0:5.8.0*255"] == (9, "varh")
    assert got["1-0:52.7.0*255"] == (238, "V")
    assert got["1-0:69.7.0*255"] == (52, "VA")
    assert got["0-0:96.14.0*255"] == (2, "")
    assert got["0-0:1.0.0*255"] == ("2023-07-12T06:49:49Z", "")
    assert got["tic-ngtf"] == ("TEMPO", "")
    told = decode_telegram(NEW)
    assert told.device["time"] == "2023-07-12T06:49:49Z"
    maximum = next(one for one in told.readings if one.function == "maximum")
    assert (maximum.value, maximum.time) == (4536, datetime(2023, 7, 11, 23, tzinfo=UTC))
    assert maximum.quality == "the meter's clock is in doubt"
    assert told.readings[2].time == datetime(2023, 7, 12, 6, 49, 49, tzinfo=UTC)


def test_a_frame_is_found_by_itself_and_a_bad_group_is_left_out() -> None:
    answer: Any = decode_any(NEW).as_json()
    assert answer["protocol"] == "tic"
    damaged: Any = decode_any(NEW.replace(b"000001234", b"000001235")).as_json()
    assert "group-checksum" in damaged["quirks"]
    assert "1-0:1.8.0" not in [one["obis"] for one in damaged["readings"]]


def test_a_number_that_is_none_has_a_reason() -> None:
    (one,) = decode_telegram(historical("PAPP 01..0")).readings
    assert (one.value, one.unit, one.quality) == (None, "", "'01..0' is not a number")


@pytest.mark.parametrize("text", ["", "X230712084949", "E231312084949", "E2307120849", "H2307120849xx"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert moment(text) is None


def test_other_octets_are_not_taken_for_a_frame() -> None:
    assert is_tic(OLD)
    assert not is_tic(b"\x02\x03\x09\x06")
    assert not is_tic(b"ABCD some words, no check sum\n")
    assert not is_tic(b"\x02\n" + b"XYZ 01 " + check_sum("XYZ 01").encode() + b"\r\x03")


@pytest.mark.covers("SEC-11")
@given(st.binary(max_size=120))
def test_no_octets_bring_the_decoder_down(octets: bytes) -> None:
    decode_any(octets, format="tic").as_json()
