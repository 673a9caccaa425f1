"""The simulated air as a process of its own."""

import json

import pytest

from command_line import running
from meterway.cli.radio import _line
from meterway.links.medium.wire import Gone

FRAME = Gone("MWY-1", "T1", bytes.fromhex("1040014116"), 1_790_000_000.0, 1_790_000_000.1, 2, {"collision": 1})


def test_a_frame_is_a_line_for_people_and_one_for_machines():
    assert _line(FRAME, as_json=False) == (
        "14:13:20 MWY-1 T1, 5 octets, heard by 2, 1 lost by collision: wired short, application link"
    )
    told = json.loads(_line(FRAME, as_json=True))
    assert (told["event"], told["hex"], told["lost"]) == ("frame", "1040014116", {"collision": 1})


@pytest.mark.covers("IF-M")
def test_it_listens_and_ends_in_order(tmp_path):
    with running("radio", "--port", "0", "--json", cwd=tmp_path, until="listening") as told:
        assert json.loads(told)["port"] > 0
