"""The simulated neighbourhood network as a process of its own."""

import json

import pytest
from click.testing import CliRunner

from command_line import running
from meterway.cli.neighbourhood import _line, _summary, neighbourhood
from meterway.links.medium.neighbourhood import NeighbourhoodMedium, preset
from meterway.links.medium.neighbourhood.hub import NeighbourhoodHub
from meterway.links.medium.neighbourhood.records import Carried

ONE = Carried(0, 1, 0, 9, b"\x01\x02", 1_790_000_000.0, 1_790_000_000.1, 1, 2, "noise")


def test_a_transmission_is_a_line_for_people_and_one_for_machines():
    assert _line(ONE, as_json=False) == "14:13:20 0 to 1 for 9, 2 octets, attempt 2: noise"
    assert _line(ONE._replace(receiver=0xFFFF, to=0xFFFF, attempt=0, result="heard"), as_json=False) == (
        "14:13:20 0 to all, 2 octets: heard"
    )
    told = json.loads(_line(ONE, as_json=True))
    assert (told["event"], told["sender"], told["hex"], told["octets"]) == ("transmission", 0, "0102", 2)


def test_the_end_tells_what_was_lost():
    hub = NeighbourhoodHub(preset("prime", loss=1.0, hops=2), clock=lambda: 1_790_000_000.0)
    assert isinstance(hub.medium, NeighbourhoodMedium)
    for number in range(10):
        hub.medium.join(number, 1_790_000_000.0)
    hub.medium.send(0, 9, b"x", 1_790_000_000.0)
    text = _summary(hub.figures(), hub.routes(), as_json=False)
    assert text.startswith("10 nodes up to 0 hops away; 1 frames, 0 delivered, 1 lost by no route; 0 transmissions")
    told = json.loads(_summary(hub.figures(), hub.routes(), as_json=True))
    assert told["lost"] == {"no route": 1}
    assert len(told["routes"]) == 10


def test_wrong_settings_are_wrong_usage():
    for wrong in ("0,one", "0,70000", "-1"):
        found = CliRunner().invoke(neighbourhood, ["--coordinators", wrong])
        assert found.exit_code == 2
        assert "numbers of 0 to 65534" in found.output
    assert CliRunner().invoke(neighbourhood, ["--loss", "2"]).exit_code == 2


@pytest.mark.covers("E-NET-NN")
def test_it_listens_and_ends_in_order(tmp_path):
    with running("neighbourhood", "--port", "0", "--hops", "3", "--json", cwd=tmp_path, until="listening") as told:
        assert json.loads(told)["port"] > 0
