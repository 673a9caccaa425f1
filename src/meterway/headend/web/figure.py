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
    "nnap": ("Neighbourhood network", "access point"),
    "headend": ("Central", "communication system"),
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
    view_box="0 0 1180 560",
    boxes={
        "meter": Box(30, 225, 190, 110),
        "display": Box(30, 425, 190, 95),
        "lnap": Box(340, 115, 190, 95),
        "nnap": Box(340, 370, 190, 95),
        "home": Box(590, 242, 170, 95),
        "headend": Box(850, 220, 170, 120),
        "market": Box(1075, 230, 95, 100),
    },
    tracks={
        "I": Track("M125 225V68Q125 48 145 48H915Q935 48 935 68V220", 530, 48),
        "H1": Track("M125 335V425", 125, 380),
        "M": Track("M220 255C285 255 275 165 340 165", 280, 210),
        "C": Track("M220 305C285 305 275 415 340 415", 280, 360),
        "L": Track("M400 210V370", 400, 290),
        "H2": Track("M500 210C500 265 530 270 590 270", 518, 250),
        "H3": Track("M500 370C500 315 530 310 590 310", 518, 330),
        "G1": Track("M530 150H740Q790 150 800 200Q808 250 850 250", 690, 150),
        "G2": Track("M530 430H740Q790 430 800 370Q808 310 850 310", 690, 430),
        "N": Track("M385 465V500Q385 515 400 515H470Q485 515 485 500V465", 435, 515),
    },
    outside="M1020 280H1075",
)

NARROW: Final = Layout(
    name="narrow",
    view_box="0 0 400 860",
    boxes={
        "market": Box(120, 10, 160, 66),
        "headend": Box(110, 120, 180, 92),
        "home": Box(120, 310, 160, 80),
        "lnap": Box(30, 470, 140, 84),
        "nnap": Box(206, 470, 164, 84),
        "meter": Box(110, 630, 180, 92),
        "display": Box(120, 780, 160, 74),
    },
    tracks={
        "I": Track("M110 690H26Q12 690 12 676V180Q12 166 26 166H110", 14, 300),
        "G1": Track("M50 470V300Q50 190 110 190", 50, 290),
        "G2": Track("M350 470V300Q350 190 290 190", 350, 290),
        "H2": Track("M120 470C120 430 150 430 150 390", 130, 430),
        "H3": Track("M280 470C280 430 250 430 250 390", 270, 430),
        "L": Track("M170 512H206", 188, 512),
        "M": Track("M140 630C140 590 100 600 100 554", 118, 592),
        "C": Track("M260 630C260 590 300 600 300 554", 282, 592),
        "N": Track("M330 554V578Q330 588 340 588H352Q362 588 362 578V554", 346, 588),
        "H1": Track("M200 722V780", 200, 751),
    },
    outside="M200 76V120",
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
        return "none yet" if key in alive else "not living yet"
    one, many = _PLURALS.get(key, (_PLAIN[key], _PLAIN[key]))
    return f"{count:,} {one if count == 1 else many}".replace(",", "\u202f")
