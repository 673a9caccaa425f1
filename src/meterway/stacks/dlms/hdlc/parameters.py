"""What both sides agree on in SNRM and UA: sizes of information fields and windows (IEC 62056-46).

An absent information field or parameter stands for the default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from meterway.base.errors import ConfigError
from meterway.base.octets import Reader
from meterway.stacks.dlms.hdlc.frame import MAX_INFORMATION

__all__ = ["HdlcParameters"]

_FORMAT_ID: Final = 0x81
_GROUP_ID: Final = 0x80
_FIELDS: Final = {5: "max_info_tx", 6: "max_info_rx", 7: "window_tx", 8: "window_rx"}
"""Parameter identifier to field. Sizes are one or two octets, windows four."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HdlcParameters:
    """Limits as one side sees them: ``tx`` what it sends, ``rx`` what it takes. Sizes in octets, windows in frames."""

    max_info_tx: int = 128
    max_info_rx: int = 128
    window_tx: int = 1
    window_rx: int = 1

    def __post_init__(self) -> None:
        for size in (self.max_info_tx, self.max_info_rx):
            if not 1 <= size <= MAX_INFORMATION:
                raise ConfigError(f"an HDLC information field has 1 to {MAX_INFORMATION} octets, not {size}")
        for window in (self.window_tx, self.window_rx):
            if not 1 <= window <= 7:
                raise ConfigError(f"an HDLC window is 1 to 7 frames, not {window}")

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read an information field of SNRM or UA to its end; unknown parameters are passed over.

        Values out of range are brought into it. DecodeError kinds: ``truncated``, ``parameters``.
        """
        if not reader.remaining:
            return cls()
        if reader.u8("format identifier") != _FORMAT_ID or reader.u8("group identifier") != _GROUP_ID:
            raise reader.fail("HDLC parameters begin with 81 80", "parameters", back=1)
        group = reader.sub(reader.u8("group length"), "HDLC parameters")
        values: dict[str, int] = {}
        while group.remaining:
            identifier = group.u8("parameter identifier")
            value = group.uint(group.u8("parameter length"), "parameter value")
            if identifier in _FIELDS:
                limit = MAX_INFORMATION if identifier < 7 else 7
                values[_FIELDS[identifier]] = max(1, min(value, limit))
        return cls(**values)

    def encode(self) -> bytes:
        """The information field: all four parameters, sizes in one octet where they fit."""
        group = b""
        for identifier, size in ((5, self.max_info_tx), (6, self.max_info_rx)):
            octets = size.to_bytes(1 if size < 256 else 2, "big")
            group += bytes((identifier, len(octets))) + octets
        for identifier, window in ((7, self.window_tx), (8, self.window_rx)):
            group += bytes((identifier, 4)) + window.to_bytes(4, "big")
        return bytes((_FORMAT_ID, _GROUP_ID, len(group))) + group

    def agree(self, other: HdlcParameters) -> HdlcParameters:
        """What holds for this side when the other side says ``other``: the smaller of each pair, crossed over."""
        return HdlcParameters(
            max_info_tx=min(self.max_info_tx, other.max_info_rx),
            max_info_rx=min(self.max_info_rx, other.max_info_tx),
            window_tx=min(self.window_tx, other.window_rx),
            window_rx=min(self.window_rx, other.window_tx),
        )
