"""As much of BER as ACSE needs: one-octet tags, definite lengths."""

from __future__ import annotations

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr import encode_length, read_length

__all__ = ["element", "read_element", "read_elements", "unwrap"]


def element(tag: int, content: bytes) -> bytes:
    """Tag, length, content."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    return bytes((tag,)) + encode_length(length) + content


def read_element(reader: Reader) -> tuple[int, bytes, int]:
    """(tag, content, place of the content)."""
    data, start = reader.data, reader.offset + 2
    if start <= reader.end and (length := data[start - 1]) < 0x80 and start + length <= reader.end:
        reader.offset = start + length
        return data[start - 2], data[start : start + length], reader.place - length
    tag = reader.u8("BER tag")
    length = read_length(reader)
    place = reader.place
    return tag, reader.take(length, f"content of BER tag {tag:#04x}"), place


def read_elements(reader: Reader) -> dict[int, tuple[bytes, int]]:
    """All elements up to the reader's end by tag; DecodeError if one stands twice."""
    found: dict[int, tuple[bytes, int]] = {}
    data, end, at = reader.data, reader.end, reader.offset
    base = reader.place - at
    while at < end:
        start = at + 2
        if start <= end and (length := data[start - 1]) < 0x80 and start + length <= end:
            tag, place, at = data[at], base + start, start + length
            content = data[start:at]
        else:
            reader.offset = at
            tag, content, place = read_element(reader)
            at = reader.offset
        if tag in found:
            raise DecodeError(f"BER tag {tag:#04x} stands twice", place, "ber")
        found[tag] = (content, place)
    reader.offset = at
    return found


def unwrap(content: bytes, place: int, tag: int, what: str) -> bytes:
    """The content of the one element of ``tag`` that ``content`` must be."""
    length = len(content) - 2
    if 0 <= length < 0x80 and content[0] == tag and content[1] == length:
        return content[2:]
    reader = Reader(content, base=place)
    found, inner, inner_place = read_element(reader)
    if found != tag:
        raise DecodeError(f"{what}: BER tag {tag:#04x} expected, not {found:#04x}", inner_place, "ber")
    reader.finish(what)
    return inner
