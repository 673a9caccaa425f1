"""Groups of the télé-information client and their check sums; the lines are of meters in the field, ids left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.tic.frame import TicGroup, check_sum, decode_frame, group_of

pytestmark = pytest.mark.covers("IF-H1")

LABELS = st.from_regex(r"[A-Z][A-Z0-9]{1,8}", fullmatch=True)
DATA = st.text("0123456789ABC.-", min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("line", "group"),
    [
        ("OPTARIF HC.. <", TicGroup(label="OPTARIF", data="HC..")),
        ("HCHC 004070290 \\", TicGroup(label="HCHC", data="004070290")),
        ("PAPP 01090 +", TicGroup(label="PAPP", data="01090")),
        ("PTEC HP..  ", TicGroup(label="PTEC", data="HP..")),
        ("PTEC HP..", TicGroup(label="PTEC", data="HP..", quirk="last-space-lost")),
        ("SINSTS\t00766\tY", TicGroup(label="SINSTS", data="00766", is_standard=True)),
        (
            "SMAXSN\tE230712084949\t04536\tM",
            TicGroup(label="SMAXSN", data="04536", horodate="E230712084949", is_standard=True),
        ),
        (
            "DATE    H180227002921           C",
            TicGroup(label="DATE", data="", horodate="H180227002921", is_standard=True, quirk="tabs-lost"),
        ),
        ("EAST    000000002       Q", TicGroup(label="EAST", data="000000002", is_standard=True, quirk="tabs-lost")),
    ],
)
def test_groups_of_meters_in_the_field_are_read(line: str, group: TicGroup) -> None:
    assert group_of(line) == group


@pytest.mark.parametrize(
    "line", ["PAPP 01091 +", "SINSTS\t00767\tY", "SMAXSN\tX230712084949\t04536\tM", "", " ", "A 1 2", "papp 01090 +"]
)
def test_what_is_no_group_is_none(line: str) -> None:
    assert group_of(line) is None


@given(LABELS, DATA, st.booleans())
def test_every_group_is_read(label: str, data: str, is_standard: bool) -> None:
    mark = "\t" if is_standard else " "
    covered = f"{label}{mark}{data}"
    group = group_of(covered + mark + check_sum(covered + mark * is_standard))
    assert group is not None
    assert (group.label, group.data) == (label, data)


def test_a_frame_gives_its_good_groups_and_names_the_rest() -> None:
    frame = decode_frame(b"\x02\nPAPP 01090 +\r\nIINST 005 [\r\nPTEC HP..  \r\x03")
    assert [group.label for group in frame.groups] == ["PAPP", "PTEC"]
    assert (frame.unread, frame.quirks) == (("IINST 005 [",), ("group-checksum",))


def test_parity_bits_are_taken_off() -> None:
    octets = bytes(octet | (octet.bit_count() & 1) << 7 for octet in b"\x02\nPAPP 01090 +\r\x03")
    frame = decode_frame(octets)
    assert (frame.groups, frame.quirks) == ((TicGroup(label="PAPP", data="01090"),), ("parity-bit",))


@pytest.mark.parametrize(
    ("octets", "kind"), [(b"\x02\nPAPP 01091 +\r\x03", "checksum"), (b"\x02\x03", "frame"), (b"", "frame")]
)
def test_a_frame_without_a_good_group_is_refused(octets: bytes, kind: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_frame(octets)
    assert caught.value.kind == kind


@given(st.binary(max_size=120))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    try:
        assert decode_frame(octets).groups
    except DecodeError as error:
        assert error.kind in ("checksum", "frame")
