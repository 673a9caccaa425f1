import json
import subprocess
import sys

ORDER = {"meters": 3, "displays": 1, "push_port": 0, "secret": "00" * 32}


def street(order: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "meterway.town.street"], input=order, capture_output=True, timeout=60, check=False
    )


def test_it_says_how_each_meter_is_reached_and_ends_with_its_input():
    done = street(json.dumps(ORDER).encode() + b"\n")
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    assert [meter["serial"] for meter in report["meters"]] == ["M0001", "M0002", "M0003"]
    assert len({meter["port"] for meter in report["meters"]}) == 3
    assert sum(meter["h1_port"] > 0 for meter in report["meters"]) == 1


def test_an_order_that_is_none_is_answered_with_the_reason():
    done = street(b"nonsense\n")
    assert done.returncode == 1
    assert "unreadable" in json.loads(done.stdout)["error"]


def test_a_secret_that_is_too_short_is_refused():
    done = street(json.dumps({**ORDER, "secret": "00"}).encode() + b"\n")
    assert done.returncode == 1
    assert "16 octets" in json.loads(done.stdout)["error"]
