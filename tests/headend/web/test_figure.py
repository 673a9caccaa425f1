"""The reference figure."""

import re

import pytest

from meterway.headend.traffic import InterfaceTraffic
from meterway.headend.web.figure import ENTITIES, INTERFACES, NARROW, WIDE, figure

pytestmark = pytest.mark.covers("IF-I", "IF-H1")


def traffic(label, entities=1, octets=10):
    return InterfaceTraffic(label=label, between="", entities=entities, sessions=2, octets=octets)


def test_every_interface_of_the_report_is_there():
    assert set(INTERFACES) == {"M", "C", "L", "N", "G1", "G2", "I", "H1", "H2", "H3"}
    assert {end for ends in INTERFACES.values() for end in ends} == set(ENTITIES) - {"market"}


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=lambda layout: layout.name)
def test_a_layout_has_a_place_for_everything_inside_its_box_and_no_two_overlap(layout):
    assert set(layout.boxes) == set(ENTITIES)
    assert set(layout.tracks) == set(INTERFACES)
    left, top, width, height = map(int, layout.view_box.split())
    boxes = list(layout.boxes.values())
    for index, box in enumerate(boxes):
        assert left <= box.x
        assert box.x + box.width <= left + width
        assert top <= box.y
        assert box.y + box.height <= top + height
        for other in boxes[index + 1 :]:
            apart_x = box.x + box.width < other.x or other.x + other.width < box.x
            assert apart_x or box.y + box.height < other.y or other.y + other.height < box.y


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=lambda layout: layout.name)
@pytest.mark.parametrize("label", INTERFACES)
def test_a_track_begins_and_ends_at_the_entities_it_joins(layout, label):
    path = layout.tracks[label].path
    x, y = map(int, re.match(r"M(\d+) (\d+)", path).groups())
    assert _touches(layout.boxes[INTERFACES[label][0]], x, y)
    x, y = _end(path)
    assert _touches(layout.boxes[INTERFACES[label][1]], x, y)


def _end(path):
    """Where the pen is after the last command of an absolute path."""
    x = y = 0
    for command, numbers in re.findall(r"([MLHVQC])([\d. ]+)", path):
        values = [float(each) for each in numbers.split()]
        if command == "H":
            x = values[-1]
        elif command == "V":
            y = values[-1]
        else:
            x, y = values[-2:]
    return x, y


def _touches(box, x, y):
    on_side = x in (box.x, box.x + box.width) and box.y <= y <= box.y + box.height
    return on_side or (y in (box.y, box.y + box.height) and box.x <= x <= box.x + box.width)


def test_what_speaks_is_alive_and_counted_and_the_rest_is_said_not_to_live():
    drawings, rows = figure([traffic("I", 200), traffic("H1", 10)])
    shapes = {shape.key: shape for shape in drawings[0].shapes}
    assert shapes["meter"].state == "200 meters"
    assert shapes["display"].state == "10 displays"
    assert shapes["lnap"].state == "LNAP, not living yet"
    assert {line.label for line in drawings[1].lines if line.is_alive} == {"I", "H1"}
    assert {row.label for row in rows if row.traffic is None} == set(INTERFACES) - {"I", "H1"}


def test_several_sources_of_one_interface_add_up():
    _, rows = figure([traffic("I", 1, 5), traffic("I", 2, 6)])
    row = next(row.traffic for row in rows if row.label == "I")
    assert (row.entities, row.octets, row.sessions) == (3, 11, 4)


def test_one_meter_is_one_meter():
    drawings, _ = figure([traffic("I", 1)])
    assert next(shape.state for shape in drawings[0].shapes if shape.key == "meter") == "1 meter"


def test_an_interface_without_a_meter_is_alive_without_one():
    drawings, _ = figure([traffic("I", 0)])
    meter = next(shape for shape in drawings[0].shapes if shape.key == "meter")
    assert (meter.state, meter.is_alive) == ("none yet", False)
