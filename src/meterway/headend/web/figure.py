"""The reference figure (CEN/CLC/ETSI TR 50572) in a composition of our own: entities, interfaces, what lives of them.

Two layouts of the same graph, one for wide and one for narrow screens; neither has crossing lines. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from meterway.headend.traffic import InterfaceTraffic

__all__ = ["ENTITIES", "Drawing", "INTERFACES", "Line", "NARROW", "Row", "Shape", "WIDE", "figure"]

ENTITIES: Final[dict[str, tuple[str, ...]]] = {
    "display": ("Simple external", "consumer display"),
    "meter": ("Metering", "end device"),
    "home": ("Home automation", "end device"),
    "lnap": ("Local network", "access point"),
    "nnap": ("Neighbourhood", "network", "access point"),
    "headend": ("Central", "communication", "system"),
    "market": ("Market parties,", "portal"),
}
"""The entities of the figure; the last stands outside it and joins without a named interface."""

INTERFACES: Final[dict[str, tuple[str, str]]] = {
    "H1": ("meter", "display"),
    "H2": ("lnap", "home"),
    "H3": ("nnap", "home"),
    "M": ("meter", "lnap"),
    "C": ("meter", "nnap"),
    "L": ("lnap", "nnap"),
    "N": ("nnap", "nnap"),
    "G1": ("lnap", "headend"),
    "G2": ("nnap", "headend"),
    "I": ("meter", "headend"),
}
_PLAIN: Final = {
    "display": "display",
    "meter": "meter",
    "home": "home automation",
    "lnap": "LNAP",
    "nnap": "NNAP",
    "headend": "head end",
}
_SHORT: Final = {"meter": "", "display": "", "home": "", "lnap": "LNAP, ", "nnap": "NNAP, "}
_PLURALS: Final = {"meter": ("meter", "meters"), "display": ("display", "displays")}


@dataclass(frozen=True, slots=True)
class Box:
    """Where an entity stands."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Track:
    """How an interface runs, as an SVG path, and where its label sits."""

    path: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A composition: the view box, a box per entity, a track per interface, the way out to the market."""

    name: str
    view_box: str
    boxes: dict[str, Box]
    tracks: dict[str, Track]
    outside: str


WIDE: Final = Layout(
    name="wide",
    view_box="0 0 1180 530",
    boxes={
        "meter": Box(20, 210, 200, 110),
        "display": Box(20, 410, 200, 100),
        "lnap": Box(340, 105, 180, 100),
        "nnap": Box(340, 345, 180, 115),
        "home": Box(600, 230, 180, 100),
        "headend": Box(850, 210, 170, 130),
        "market": Box(1035, 10, 140, 95),
    },
    tracks={
        "I": Track("M120 210V52Q120 30 142 30H913Q935 30 935 52V210", 430, 30),
        "H1": Track("M120 320V410", 120, 365),
        "M": Track("M220 240C285 240 275 155 340 155", 280, 198),
        "C": Track("M220 290C285 290 275 402 340 402", 280, 346),
        "L": Track("M400 205V345", 400, 275),
        "H2": Track("M490 205C490 255 535 262 600 262", 513, 245),
        "H3": Track("M490 345C490 305 535 298 600 298", 513, 314),
        "G1": Track("M520 140H740Q800 140 810 190Q818 245 850 245", 690, 140),
        "G2": Track("M520 420H740Q800 420 810 362Q818 305 850 305", 690, 420),
        "N": Track("M385 460V486Q385 502 401 502H459Q475 502 475 486V460", 430, 502),
    },
    outside="M1020 275H1085Q1105 275 1105 255V105",
)

NARROW: Final = Layout(
    name="narrow",
    view_box="-8 0 408 872",
    boxes={
        "market": Box(120, 6, 160, 80),
        "headend": Box(115, 122, 170, 106),
        "home": Box(112, 312, 176, 86),
        "lnap": Box(30, 476, 140, 102),
        "nnap": Box(230, 476, 140, 102),
        "meter": Box(110, 656, 180, 90),
        "display": Box(110, 782, 180, 84),
    },
    tracks={
        "I": Track("M110 701H28Q12 701 12 685V191Q12 175 28 175H115", 12, 330),
        "G1": Track("M58 476V290Q58 205 115 205", 58, 290),
        "G2": Track("M342 476V290Q342 205 285 205", 342, 290),
        "H2": Track("M130 476C130 436 152 438 152 398", 140, 437),
        "H3": Track("M270 476C270 436 248 438 248 398", 260, 437),
        "L": Track("M170 527H230", 200, 527),
        "M": Track("M150 656C150 616 110 618 110 578", 130, 617),
        "C": Track("M250 656C250 616 280 618 280 578", 267, 617),
        "N": Track("M322 578V598Q322 610 334 610H346Q358 610 358 598V578", 340, 610),
        "H1": Track("M200 746V782", 200, 764),
    },
    outside="M200 86V122",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An entity as it is drawn."""

    key: str
    lines: tuple[str, ...]
    state: str
    is_alive: bool
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An interface as it is drawn."""

    label: str
    between: str
    is_alive: bool
    track: Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One layout, ready to be drawn."""

    name: str
    view_box: str
    shapes: list[Shape]
    lines: list[Line]
    outside: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An interface in figures; ``traffic`` None where nothing speaks over it yet."""

    label: str
    between: str
    traffic: InterfaceTraffic | None


def figure(traffic: Iterable[InterfaceTraffic]) -> tuple[list[Drawing], list[Row]]:
    """Both drawings, and every interface with what went over it. Several sources of one interface add up."""
    rows = {label: _row(label, [row for row in traffic if row.label == label]) for label in INTERFACES}
    alive = {end: 0 for label, row in rows.items() if row.traffic is not None for end in INTERFACES[label]}
    for label, row in rows.items():
        if row.traffic is not None:
            far = _far_end(label)
            alive[far] = max(alive[far], row.traffic.entities)
    return [_drawing(layout, rows, alive) for layout in (WIDE, NARROW)], list(rows.values())


def _far_end(label: str) -> str:
    """The entity whose number an interface's traffic tells: the one that is not the head end, the display on H1."""
    first, second = INTERFACES[label]
    return second if label.startswith("H") else first


def _row(label: str, found: list[InterfaceTraffic]) -> Row:
    between = " – ".join(_PLAIN[end] for end in INTERFACES[label])
    if not found:
        return Row(label=label, between=between, traffic=None)
    total = InterfaceTraffic(
        label=label,
        between=between,
        entities=sum(row.entities for row in found),
        sessions=sum(row.sessions for row in found),
        octets=sum(row.octets for row in found),
    )
    return Row(label=label, between=between, traffic=total)


def _drawing(layout: Layout, rows: dict[str, Row], alive: dict[str, int]) -> Drawing:
    shapes = [
        Shape(key=key, lines=lines, state=_state(key, alive), is_alive=_lives(key, alive), box=layout.boxes[key])
        for key, lines in ENTITIES.items()
    ]
    lines = [
        Line(label=label, between=row.between, is_alive=row.traffic is not None, track=layout.tracks[label])
        for label, row in rows.items()
    ]
    return Drawing(name=layout.name, view_box=layout.view_box, shapes=shapes, lines=lines, outside=layout.outside)


def _lives(key: str, alive: dict[str, int]) -> bool:
    return key == "headend" or alive.get(key, 0) > 0


def _state(key: str, alive: dict[str, int]) -> str:
    if key == "headend":
        return "head end, running"
    if key == "market":
        return "not yet"
    count = alive.get(key, 0)
    if not count:
        return "none yet" if key in alive else f"{_SHORT[key]}not living yet"
    one, many = _PLURALS.get(key, (_PLAIN[key], _PLAIN[key]))
    return f"{count:,} {one if count == 1 else many}".replace(",", "\u202f")
