"""From octets to an APDU: the table of tags, real APDUs that come back, and octets that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.apdu import apdu_name, decode_apdu
from meterway.stacks.dlms.hdlc import decode_stream
from meterway.stacks.dlms.wrapper import WrapperFrame

pytestmark = pytest.mark.covers("IF-I")

VECTORS = Path(__file__).parents[2] / "vectors" / "dlms" / "telegrams.jsonl"


def _apdus() -> list[tuple[str, bytes]]:
    """Every plain or ciphered APDU of the vectors, out of its frames."""
    found: list[tuple[str, bytes]] = []
    for line in VECTORS.read_text().splitlines():
        row = json.loads(line)
        octets = bytes.fromhex(row["hex"])
        if octets[0] == 0x7E:
            found += [(row["name"], placed.apdu) for placed in decode_stream(octets).apdus]
        elif octets[:2] == b"\x00\x01":
            reader = Reader(octets)
            while reader.remaining:
                found.append((row["name"], WrapperFrame.decode(reader).apdu))
        elif octets[0] != 0x68:
            found.append((row["name"], octets[3:] if octets[:2] == b"\xe6\xe7" else octets))
    return found


APDUS = _apdus()


@pytest.mark.parametrize(("name", "octets"), APDUS, ids=[name for name, _ in APDUS])
def test_a_real_apdu_comes_back_to_the_octet(name: str, octets: bytes) -> None:
    assert decode_apdu(octets).encode() == octets


def test_the_vectors_hold_apdus_of_many_kinds() -> None:
    assert len({type(decode_apdu(octets)) for _, octets in APDUS}) >= 12


@pytest.mark.covers("SEC-11")
@given(st.sampled_from(APDUS), st.data())
def test_an_altered_apdu_is_read_or_refused(named: tuple[str, bytes], data: st.DataObject) -> None:
    octets = bytearray(named[1])
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(wire.octet)
    read = wire.read_outcome(bytes(octets))
    if read is not None:
        read.encode()  # type: ignore[attr-defined]


@pytest.mark.covers("SEC-11")
@given(wire.octet, wire.octet, st.binary(max_size=40))
def test_any_octets_are_read_or_refused(tag: int, kind: int, body: bytes) -> None:
    wire.read_outcome(bytes((tag, kind)) + body)


@pytest.mark.parametrize(
    ("octets", "kind"), [("", "truncated"), ("ff", "apdu"), ("c0", "truncated"), ("c007c1", "apdu")]
)
def test_what_is_no_apdu_is_refused_at_its_place(octets: str, kind: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_apdu(bytes.fromhex(octets), base=100)
    assert refused.value.kind == kind
    assert refused.value.offset >= 100


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        ("c4", "get-response"),
        ("cc", "glo-get-response"),
        ("d4", "ded-get-response"),
        ("61", "aare"),
        ("ff", "apdu-ff"),
        ("", "empty"),
    ],
)
def test_an_apdu_is_named_by_its_tag(octets: str, name: str) -> None:
    assert apdu_name(bytes.fromhex(octets)) == name
