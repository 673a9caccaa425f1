"""How a process of the town is told and ended."""

import json
import subprocess
import sys

PROGRAM = """
import sys, msgspec
from meterway.base.errors import ConfigError
from meterway.town.process import say, serve_order, until_closed

class Order(msgspec.Struct):
    name: str

class Report(msgspec.Struct):
    error: str = ""

async def work(order):
    if order.name == "bad":
        raise ConfigError("no such place")
    say(Report())
    await until_closed()

sys.exit(serve_order(Order, work, lambda reason: Report(error=reason), "place"))
"""


def told(order: bytes) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], input=order, capture_output=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout)["error"]


def test_it_works_until_its_input_is_closed() -> None:
    assert told(b'{"name": "x"}\n') == (0, "")


def test_an_order_that_is_none_and_one_that_cannot_be_met_are_told() -> None:
    status, reason = told(b"nonsense\n")
    assert status == 1
    assert reason.startswith("the order of the place is unreadable")
    assert told(b'{"name": "bad"}\n') == (1, "no such place")
