"""The server's side: every state with every input, many devices, limits."""

from random import Random

import pytest

from meterway.base.errors import ProtocolError
from meterway.stacks.neighbourhood.lbp import Bootstrap, Grant, Joining, Lbp, LbpKind, Refused, Welcome
from stacks.neighbourhood.lbp.test_joining import EUI, PSK, SERVER

GRANT = Grant(short=7, keys={0: bytes(16)}, active=0)


def bootstrap(admit=lambda eui: PSK, grant=lambda eui: GRANT, **more):
    return Bootstrap(SERVER, admit, grant, Random(5).randbytes, **more)


def from_device(data=b"", eui=EUI, kind=LbpKind.JOINING):
    return Lbp(kind=kind, eui=eui, data=data)


class Exchange:
    """A server brought to a state, with what the device said so far."""

    def __init__(self, state, **more):
        self.server = bootstrap(**more)
        self.device = Joining(EUI, PSK, Random(1).randbytes)
        self.said = []
        steps = ("new", "asked", "proved", "done").index(state)
        for _ in range(steps):
            self.step()

    def step(self):
        message = self.device.last
        self.said.append(message)
        answer, outcome = self.server.take(message, 0.0)
        if answer is not None:
            self.device.take(answer)
        return answer, outcome


TABLE = {
    #             new         asked        proved       done
    "joining": ("CHALLENGE", "same", "CHALLENGE", "CHALLENGE"),
    "next": ("CHALLENGE", "CHALLENGE", "ACCEPTED", "same"),
    "again": ("CHALLENGE", "same", "same", "same"),
    "garbage": ("error", "error", "error", "error"),
    "kick": ("nothing", "nothing", "nothing", "nothing"),
    "of the server": ("nothing", "nothing", "nothing", "nothing"),
}
STATES = ("new", "asked", "proved", "done")
CELLS = [(state, name, row[at]) for name, row in TABLE.items() for at, state in enumerate(STATES)]


@pytest.mark.covers("IF-C", "SEC-03")
@pytest.mark.parametrize(("state", "name", "expected"), CELLS)
def test_every_state_with_every_message(state, name, expected):
    exchange = Exchange(state)
    last = exchange.said[-1] if exchange.said else from_device()
    message = {
        "joining": from_device(),
        "next": exchange.device.last,
        "again": last,
        "garbage": from_device(b"\x08garbage"),
        "kick": from_device(kind=LbpKind.KICK_BY_DEVICE),
        "of the server": from_device(kind=LbpKind.CHALLENGE),
    }[name]
    slot = exchange.server._slots.get(EUI)
    before = slot.answer if slot else None
    try:
        answer, _ = exchange.server.take(message, 0.0)
    except ProtocolError:
        assert expected == "error"
        return
    if answer is None:
        assert expected == "nothing"
    elif answer == before:
        assert expected == "same"
    else:
        assert answer.kind.name == expected


def test_a_device_is_welcome_once():
    exchange = Exchange("proved")
    answer, outcome = exchange.step()
    assert (answer.kind, outcome) == (LbpKind.ACCEPTED, Welcome(eui=EUI, short=7))
    assert exchange.server.take(exchange.said[-1], 0.0) == (answer, None)


def test_another_key_is_declined_with_the_reason():
    exchange = Exchange("asked", admit=lambda eui: bytes(16))
    answer, outcome = exchange.step()
    assert answer.kind is LbpKind.DECLINE
    assert outcome == Refused(eui=EUI, reason="the device does not prove that it has the key")


@pytest.mark.parametrize(("psk", "reason"), [(None, "may not join"), (b"", "no key of 16"), (bytes(5), "no key of 16")])
def test_who_may_not_join_is_declined_at_once(psk, reason):
    answer, outcome = bootstrap(admit=lambda eui: psk).take(from_device(), 0.0)
    assert answer.kind is LbpKind.DECLINE
    assert reason in outcome.reason


def test_without_addresses_nobody_joins():
    exchange = Exchange("asked", grant=lambda eui: None)
    answer, outcome = exchange.step()
    assert answer.kind is LbpKind.DECLINE
    assert "given away" in outcome.reason


def test_a_device_that_does_not_take_its_parameters_is_declined():
    wrong = Grant(short=0xFFFF, keys={0: bytes(16)}, active=0)
    exchange = Exchange("proved", grant=lambda eui: wrong)
    answer, outcome = exchange.step()
    assert answer.kind is LbpKind.DECLINE
    assert "parameters" in outcome.reason


def test_what_does_not_go_on_is_forgotten():
    exchange = Exchange("asked", timeout_s=60.0)
    assert exchange.server.next_timeout() == 60.0
    exchange.server.expire(59.0)
    assert exchange.server.next_timeout() == 60.0
    exchange.server.expire(60.0)
    assert exchange.server.next_timeout() is None
    with pytest.raises(ProtocolError, match="not known"):
        exchange.step()


def test_so_many_at_once_and_no_more():
    exchange = Exchange("done", limit=2)
    server = exchange.server
    for number in (2, 3):  # the one that has ended makes room
        server.take(from_device(eui=b"METER00" + bytes([number])), 0.0)
    with pytest.raises(ProtocolError, match="too many"):
        server.take(from_device(eui=b"METER009"), 0.0)
