"""The exact form: decode, encode, compact arrays, hostile octets."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CompactArray, CosemDate, CosemDateTime, CosemTime, Data, Tag
from meterway.stacks.dlms.axdr.tags import INTEGER_RANGES

pytestmark = pytest.mark.covers("IF-I", "IF-H1")


def _leaves() -> st.SearchStrategy[Data]:
    integers = [
        st.integers(*limits).map(lambda value, tag=tag: Data(tag, value)) for tag, limits in INTEGER_RANGES.items()
    ]
    moments = [
        st.binary(min_size=12, max_size=12).map(lambda octets: Data(Tag.DATE_TIME, CosemDateTime.decode(octets))),
        st.binary(min_size=5, max_size=5).map(lambda octets: Data(Tag.DATE, CosemDate.decode(octets))),
        st.binary(min_size=4, max_size=4).map(lambda octets: Data(Tag.TIME, CosemTime.decode(octets))),
    ]
    return st.one_of(
        st.just(axdr.null()),
        st.just(Data(Tag.DONT_CARE, None)),
        st.booleans().map(axdr.boolean),
        st.text("01", max_size=40).map(axdr.bits),
        st.binary(max_size=300).map(axdr.octets),
        st.text(st.characters(max_codepoint=255), max_size=20).map(axdr.visible),
        st.text(max_size=20).map(axdr.utf8),
        st.floats(allow_nan=False, width=32).map(axdr.float32),
        st.floats(allow_nan=False).map(axdr.float64),
        *integers,
        *moments,
    )


DATA = st.recursive(
    _leaves(),
    lambda items: st.lists(items, max_size=6).flatmap(
        lambda parts: st.sampled_from([axdr.array(*parts), axdr.structure(*parts)])
    ),
    max_leaves=25,
)


@given(DATA)
def test_what_is_encoded_decodes_to_the_same(data: Data) -> None:
    octets = axdr.encode(data)
    assert axdr.decode_all(octets) == data
    assert axdr.skip(octets) == len(octets)


@given(DATA, st.data())
def test_altered_octets_raise_only_our_own_error(data: Data, draw: st.DataObject) -> None:
    octets = bytearray(axdr.encode(data))
    for _ in range(draw.draw(st.integers(1, 3))):
        octets[draw.draw(st.integers(0, len(octets) - 1))] = draw.draw(st.integers(0, 255))
    octets = octets[: draw.draw(st.integers(0, len(octets)))]
    reader = Reader(bytes(octets))
    try:
        axdr.decode(reader)
    except DecodeError as error:
        assert 0 <= error.offset <= len(octets)
    else:
        assert axdr.skip(bytes(octets)) == reader.offset


@pytest.mark.parametrize(
    ("hexed", "data"),
    [
        ("00", axdr.null()),
        ("0301", axdr.boolean(True)),
        ("0409ff80", axdr.bits("111111111")),
        ("05ffffffff", axdr.i32(-1)),
        ("06fffffffe", axdr.u32(0xFFFFFFFE)),
        ("09020102", axdr.octets(b"\x01\x02")),
        ("0a0241e9", axdr.visible("Aé")),
        ("0c0341c3a9", axdr.utf8("Aé")),
        ("0d42", Data(Tag.BCD, 0x42)),
        ("0f80", axdr.i8(-128)),
        ("108000", axdr.i16(-32768)),
        ("11ff", axdr.u8(255)),
        ("12ffff", axdr.u16(65535)),
        ("14ffffffffffffffff", axdr.i64(-1)),
        ("15ffffffffffffffff", axdr.u64(2**64 - 1)),
        ("161b", axdr.enum(27)),
        ("173fc00000", axdr.float32(1.5)),
        ("183ff8000000000000", axdr.float64(1.5)),
        ("1b0c1e00ff", Data(Tag.TIME, CosemTime(hour=12, minute=30, second=0))),
        ("1a07e50102ff", Data(Tag.DATE, CosemDate(year=2021, month=1, day=2))),
        ("1cff", Data(Tag.DELTA_INTEGER, -1)),
        ("1dfffe", Data(Tag.DELTA_LONG, -2)),
        ("1efffffffd", Data(Tag.DELTA_DOUBLE_LONG, -3)),
        ("1fff", Data(Tag.DELTA_UNSIGNED, 255)),
        ("20ffff", Data(Tag.DELTA_LONG_UNSIGNED, 65535)),
        ("21ffffffff", Data(Tag.DELTA_DOUBLE_LONG_UNSIGNED, 2**32 - 1)),
        ("ff", Data(Tag.DONT_CARE, None)),
        ("0202110112000a", axdr.structure(axdr.u8(1), axdr.u16(10))),
    ],
)
def test_every_type_reads_and_writes_its_octets(hexed: str, data: Data) -> None:
    octets = bytes.fromhex(hexed)
    assert axdr.decode_all(octets) == data
    assert axdr.encode(data) == octets


def test_a_non_zero_octet_is_a_true_boolean() -> None:
    assert axdr.decode_all(b"\x03\xff") == axdr.boolean(True)


@pytest.mark.parametrize(
    ("hexed", "kind", "offset"),
    [
        ("", "truncated", 0),
        ("07", "tag", 0),
        ("0202110b63", "tag", 4),
        ("06010203", "truncated", 1),
        ("0905aabb", "truncated", 2),
        ("0980", "length", 1),
        ("09850000000001", "length", 1),
        ("0184ffffffff00", "count", 6),
        ("028200ff00", "count", 4),
        ("0984ffffffff00", "truncated", 6),
        ("0484ffffffff00", "truncated", 6),
        ("0c0241ff", "utf8", 3),
        ("1100ff", "trailing", 2),
        ("01" * 2, "count", 2),
        ("130684ffffffff00", "truncated", 7),
        ("1302021106030102ff", "truncated", 7),
        ("13000101", "compact-array", 3),
        ("130100ff000101", "compact-array", 5),
        ("13130101", "tag", 1),
    ],
)
def test_a_complaint_names_its_place_and_kind(hexed: str, kind: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        axdr.decode_all(bytes.fromhex(hexed))
    assert (caught.value.kind, caught.value.offset) == (kind, offset)


@pytest.mark.parametrize("tag", [b"\x01\x01", b"\x02\x01"])
def test_nesting_is_bounded(tag: bytes) -> None:
    assert axdr.decode_all(tag * 32 + b"\x00")
    with pytest.raises(DecodeError) as caught:
        axdr.decode_all(tag * 33 + b"\x00")
    assert caught.value.kind == "depth"
    with pytest.raises(DecodeError):
        axdr.decode_all(tag * 100_000 + b"\x00")


def test_nested_type_descriptions_are_bounded() -> None:
    with pytest.raises(DecodeError) as caught:
        axdr.decode_all(b"\x13" + b"\x02\x01" * 50_000 + b"\x11\x00")
    assert caught.value.kind == "depth"


def test_a_compact_array_gives_rows_and_keeps_its_octets() -> None:
    description = bytes.fromhex("0203110901000212")
    contents = bytes.fromhex("05 02aabb 00010002 06 00 00030004")
    octets = b"\x13" + description + bytes((len(contents),)) + contents
    data = axdr.decode_all(octets)
    assert data == Data(Tag.COMPACT_ARRAY, CompactArray(description, contents))
    assert isinstance(data.value, CompactArray)
    assert data.value.rows() == (
        axdr.structure(axdr.u8(5), axdr.octets(b"\xaa\xbb"), axdr.array(axdr.u16(1), axdr.u16(2))),
        axdr.structure(axdr.u8(6), axdr.octets(b""), axdr.array(axdr.u16(3), axdr.u16(4))),
    )
    assert axdr.encode(data) == octets
    assert axdr.skip(octets) == len(octets)


def test_a_truncated_row_of_a_compact_array_is_refused() -> None:
    with pytest.raises(DecodeError) as caught:
        axdr.decode_all(bytes.fromhex("13 020212 12 06 0001 0002 0003"))
    assert (caught.value.kind, caught.value.offset) == ("truncated", 12)


def test_lengths_take_the_fewest_octets() -> None:
    for count, hexed in ((0, "00"), (127, "7f"), (128, "8180"), (256, "820100"), (2**24, "8401000000")):
        assert axdr.encode_length(count).hex() == hexed
        assert axdr.read_length(Reader(bytes.fromhex(hexed))) == count


@pytest.mark.parametrize(
    "data",
    [
        Data(Tag.UNSIGNED, 256),
        Data(Tag.UNSIGNED, "1"),
        Data(Tag.OCTET_STRING, 12),
        Data(Tag.OCTET_STRING, "text"),
        Data(Tag.BIT_STRING, "012"),
        Data(Tag.VISIBLE_STRING, "\u0152"),
        Data(Tag.DATE_TIME, b""),
        Data(Tag.NULL_DATA, 1),
        Data(Tag.ARRAY, b"ab"),
        Data(Tag.COMPACT_ARRAY, ()),
        Data(Tag.STRUCTURE, CompactArray(b"\x11", b"")),
        Data(7, 1),
    ],
)
def test_a_value_of_the_wrong_type_is_not_encoded(data: Data) -> None:
    with pytest.raises(LocalProtocolError):
        axdr.encode(data)


def test_a_not_a_number_survives() -> None:
    octets = b"\x17" + struct.pack(">f", float("nan"))
    assert axdr.encode(axdr.decode_all(octets)) == octets


VECTORS = Path(__file__).resolve().parents[3] / "vectors" / "dlms" / "axdr.jsonl"


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return "0x" + value.hex() if isinstance(value, bytes) else value


@pytest.mark.parametrize("line", VECTORS.read_text().splitlines())
def test_captured_data_reads_as_published(line: str) -> None:
    vector = json.loads(line)
    octets = bytes.fromhex(vector["hex"])
    data = axdr.decode_all(octets)
    assert _plain(axdr.native(data)) == vector["expected"]
    assert axdr.encode(data) == octets
