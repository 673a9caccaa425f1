"""Gurux knows S-FSK's numbers too: code words of sub-frames, addresses, the LLC's control octet, tags of the CIASE."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from meterway.stacks.neighbourhood import llc432
from meterway.stacks.neighbourhood.sfsk import ciase, mac

pytestmark = [pytest.mark.peer, pytest.mark.covers("IF-C")]

PROGRAM = Path(__file__).resolve().parent / "programs" / "gurux_power_line.py"


@pytest.mark.skipif(find_spec("gurux_dlms") is None, reason="gurux-dlms is not installed")
def test_the_numbers_of_s_fsk_are_those_of_gurux():
    done = subprocess.run([sys.executable, str(PROGRAM)], capture_output=True, text=True, check=True, timeout=60)
    said = json.loads(done.stdout)
    assert tuple(said["subframes"]) == mac._CODES
    assert (said["initiator"], said["new"], said["all"]) == (mac.FIRST_INITIATOR, mac.NEW, mac.ALL_PHYSICAL)
    assert said["control"] == llc432.CONTROL
    kinds = (
        ciase.Discover,
        ciase.DiscoverReport,
        ciase.Register,
        ciase.PingRequest,
        ciase.PingResponse,
        ciase.RepeaterCall,
    )
    assert said["tags"] == [kind.tag for kind in kinds]
