"""Line codes of the radio: three-out-of-six (mode T) and Manchester (mode S), octets to chips and back.

Chips are packed into octets, the first one in the highest bit; what is left of the last octet is zero.
"""

from __future__ import annotations

from typing import Final

from meterway.base.errors import DecodeError

__all__ = ["from_manchester", "from_three_of_six", "to_manchester", "to_three_of_six"]

_CODES: Final = bytes.fromhex("160D0E0B1C191A132C25262334313229")
"""The six chips of each nibble; three of them are ones."""
_NIBBLES: Final = {code: nibble for nibble, code in enumerate(_CODES)}


def to_three_of_six(octets: bytes) -> bytes:
    """Twelve chips for each octet."""
    chips = 0
    for octet in octets:
        chips = chips << 12 | _CODES[octet >> 4] << 6 | _CODES[octet & 15]
    spare = -12 * len(octets) % 8
    return (chips << spare).to_bytes((12 * len(octets) + 7) // 8, "big")


def from_three_of_six(chips: bytes, count: int) -> bytes:
    """The first ``count`` octets; DecodeError(3of6) where six chips are no code word, or if there are too few."""
    if len(chips) * 8 < 12 * count:
        raise DecodeError(
            f"{count} octets want {12 * count} chips, {8 * len(chips)} are there", len(chips), "truncated"
        )
    stream = int.from_bytes(chips, "big") >> 8 * len(chips) - 12 * count
    out = bytearray()
    for number in range(count):
        word = stream >> 12 * (count - 1 - number) & 0xFFF
        high, low = _NIBBLES.get(word >> 6), _NIBBLES.get(word & 63)
        if high is None or low is None:
            raise DecodeError(f"chips {word:012b} are no code words", number * 3 // 2, "3of6")
        out.append(high << 4 | low)
    return bytes(out)


def to_manchester(octets: bytes) -> bytes:
    """Sixteen chips for each octet: a one is 01, a zero 10."""
    out = bytearray()
    for octet in octets:
        chips = 0
        for bit in range(7, -1, -1):
            chips = chips << 2 | (1 if octet >> bit & 1 else 2)
        out += chips.to_bytes(2, "big")
    return bytes(out)


def from_manchester(chips: bytes) -> bytes:
    """The octets of a whole number of chip pairs; DecodeError(manchester) where a pair is 00 or 11."""
    if len(chips) % 2:
        raise DecodeError("the chips of an octet are cut off", len(chips), "truncated")
    out = bytearray()
    for place in range(0, len(chips), 2):
        pair = chips[place] << 8 | chips[place + 1]
        octet = 0
        for shift in range(14, -2, -2):
            symbol = pair >> shift & 3
            if symbol in (0, 3):
                raise DecodeError("two equal chips are no Manchester symbol", place, "manchester")
            octet = octet << 1 | (symbol == 1)
        out.append(octet)
    return bytes(out)
