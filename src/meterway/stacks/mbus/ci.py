"""What the control information octet (CI) announces: EN 13757-7 (2018), table 2."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["CIS", "CiMeaning", "meaning_of"]


class CiMeaning(NamedTuple):
    """``kind`` of application data and ``header`` (``none``, ``short``, ``long``) of the transport layer."""

    kind: str
    header: str


# kind: CI with no, short and long transport header (None: there is no such CI)
_TRIPLES: Final[dict[str, tuple[int | None, int | None, int | None]]] = {
    "command": (0x51, 0x5A, 0x5B),
    "application reset": (0x50, None, 0x53),
    "selected application": (0x66, 0x67, 0x68),
    "format frame": (0x69, 0x6A, 0x6B),
    "clock adjustment": (None, None, 0x6D),
    "clock": (None, None, 0x6C),
    "application error": (0x70, 0x6E, 0x6F),
    "alarm": (0x71, 0x74, 0x75),
    "data": (0x78, 0x7A, 0x72),
    "compact frame": (0x79, 0x7B, 0x73),
    "dlms": (None, 0x7D, 0x7C),
    "dlms command": (None, 0x61, 0x60),
    "obis": (None, 0x7F, 0x7E),
    "obis command": (None, 0x65, 0x64),
    "transport": (None, 0x8A, 0x80),
    "security information": (None, 0xC4, 0xC5),
    "image transfer": (None, 0xC1, 0xC2),
    "selection": (0x52, None, None),
}

CIS: Final[dict[int, CiMeaning]] = {
    0x54: CiMeaning("request of selected application", "none"),
    0x55: CiMeaning("request of selected application", "long"),
    0x5C: CiMeaning("synchronise action", "none"),
    0x84: CiMeaning("request of compact frame", "long"),
    0x85: CiMeaning("request of format frame", "long"),
    0x8B: CiMeaning("transport", "long"),
    0xC0: CiMeaning("image transfer", "long"),
    0xC3: CiMeaning("security information", "long"),
    **{
        ci: CiMeaning(kind, header)
        for kind, triple in _TRIPLES.items()
        for ci, header in zip(triple, ("none", "short", "long"), strict=True)
        if ci is not None
    },
    0x81: CiMeaning("network", "none"),
    0x82: CiMeaning("network management", "long"),
    0x83: CiMeaning("network management", "none"),
    0x87: CiMeaning("network management", "long"),
    0x88: CiMeaning("network management", "short"),
    0x89: CiMeaning("network management", "none"),
    **{ci: CiMeaning("manufacturer", "none") for ci in range(0xA0, 0xB8)},
    **{ci: CiMeaning("baud rate", "none") for ci in range(0xB8, 0xC0)},
}


def meaning_of(ci: int) -> CiMeaning | None:
    """What follows this CI; None for a reserved one."""
    return CIS.get(ci)
